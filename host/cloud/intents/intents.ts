import type { CloudTextAnswer, CloudTextQuery } from "../provider.ts";
import type { TextAnswerer } from "../text-chain.ts";
import type { CloudIntent, IntentClassifier } from "./classify.ts";

export interface IntentsFigures {
  readonly intentsAnswered: number; // from a fact of the ask
  readonly intentsUnanswered: number; // sure of the intent, and no fact answers it
  readonly intentsUnsure: number;
}

/**
 * Answers a text ask from the one of its facts that is named like its intent: the device computed it, nothing is made up. A question
 * whose intent is unsure, or that no fact answers, is answered `unknown` with the intent: whoever is next in the chain gets it.
 */
export function createIntents(classifier: IntentClassifier): TextAnswerer & { figures(): IntentsFigures } {
  const count = { intentsAnswered: 0, intentsUnanswered: 0, intentsUnsure: 0 };

  function replyTo({ facts }: CloudTextQuery, { intent, probability, isSure }: CloudIntent): CloudTextAnswer {
    const fact = isSure ? facts.find(({ name }) => name === intent) : undefined;
    count[fact ? "intentsAnswered" : isSure ? "intentsUnanswered" : "intentsUnsure"]++;
    const words = intent.replace(/[_-]+/g, " ");
    const text = isSure ? `I take this for "${words}", which I cannot answer.` : "I am not sure what you mean.";
    const reply = fact ? { kind: "say" as const, text: fact.text } : { kind: "unknown" as const, text };
    return { ok: true, reply: { ...reply, intent, probability }, model: classifier.name };
  }

  return {
    name: classifier.name,
    figures: () => ({ ...count }),
    async answerText(batch) {
      const intents = await classifier.classify(batch.map(({ question }) => question));
      return batch.map((query, i) => replyTo(query, intents[i]!));
    },
  };
}
