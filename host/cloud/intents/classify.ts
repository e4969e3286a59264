import { ConfigError } from "../../core/system/errors.ts";
import type { IntentModel } from "../../core/text/intent-model.ts";
import { largest, softmax } from "../../policy/certify/softmax.ts";
import type { SentenceEncoder } from "./encoder.ts";
import { headLogits, type IntentHead } from "./head.ts";

/** What a text means, as far as a worker can tell. */
export interface CloudIntent {
  readonly intent: string;
  readonly probability: number; // 0…1
  readonly isSure: boolean; // in scope, and the probability reaches the head's threshold
}

export interface IntentClassifier {
  readonly name: string;
  readonly labels: readonly string[];
  /** One intent per text, in order. A text without a letter is unsure. */
  classify(texts: readonly string[]): Promise<readonly CloudIntent[]>;
}

/** Texts in one pass of the encoder: its memory grows with them. */
const MAX_BATCH = 32;

/**
 * Mean of two calibrated probabilities: a head on a pretrained encoder's vector of the sentence, and the device's own net on words and
 * letters, which sees the names and spellings that a sentence vector blurs. Throws ConfigError INTENTS_LABELS or INTENTS_ENCODER for
 * parts that do not belong together.
 */
export function createIntentClassifier(parts: {
  readonly encoder: SentenceEncoder;
  readonly head: IntentHead;
  readonly words: IntentModel;
}): IntentClassifier {
  const { encoder, head, words } = parts;
  if (encoder.name !== head.encoder)
    throw new ConfigError("INTENTS_ENCODER", `the head was trained on ${head.encoder}, and ${encoder.name} is here. Train it again.`);
  const { labels, temperature } = words.manifest;
  const columns = head.labels.map((label) => labels.indexOf(label));
  if (columns.includes(-1) || labels.length !== head.labels.length)
    throw new ConfigError("INTENTS_LABELS", `head and text model know different intents. Train the head again with this agent's labels.`);

  function intentOf(text: string, vector: ArrayLike<number>): CloudIntent {
    const { features } = words.classify(text);
    const own = words.logits();
    const bySentence = softmax(headLogits(head, vector));
    const byWords = softmax(columns.map((column) => own[column]! / 1024 / temperature));
    const mean = bySentence.map((probability, i) => (probability + byWords[i]!) / 2);
    const best = largest(mean);
    const intent = head.labels[best]!;
    const probability = Math.min(1, mean[best]!);
    return { intent, probability, isSure: features > 0 && probability >= head.threshold && !head.outOfScope.includes(intent) };
  }

  return {
    name: "intents",
    labels: head.labels,
    async classify(texts) {
      const intents: CloudIntent[] = [];
      for (let at = 0; at < texts.length; at += MAX_BATCH) {
        const some = texts.slice(at, at + MAX_BATCH);
        const vectors = await encoder.embed(some);
        intents.push(...some.map((text, i) => intentOf(text, vectors[i]!)));
      }
      return intents;
    },
  };
}
