import type { LanguageEngine } from "./language-engine.ts";
import type { LanguageModel } from "./language-model.ts";
import { logSoftmax } from "./sample-float.ts";

/** Runs a language image in the integer core. */
export function createCoreEngine(
  model: LanguageModel,
  { seed, window }: { readonly seed: number; readonly window: number },
): LanguageEngine {
  const session = model.createSession({ window });
  const vocab = model.image.vocabulary;
  const logits = new Float32Array(vocab);
  const logProbabilities = new Float32Array(vocab);
  return {
    name: model.build,
    vocab,
    imageBytes: model.imageBytes,
    kvBytes: session.kvBytes,
    peakBytes: session.peakBytes + model.imageBytes,
    push: (tokens) => session.prefill(tokens),
    logProbabilities() {
      const scale = session.logitScale;
      const whole = session.logits;
      for (let i = 0; i < vocab; i++) logits[i] = whole[i]! * scale;
      logSoftmax(logProbabilities, logits);
      return logProbabilities;
    },
    choose: ({ temperature, topK, topP }) => session.sample({ temperature, topK, topP, seed }),
    reset: () => session.reset(),
  };
}
