import { createRandom } from "../core/system/random.ts";
import type { LlamaCheckpoint } from "./checkpoint.ts";
import { createFloatForward } from "./float-forward.ts";
import type { LanguageEngine } from "./language-engine.ts";
import { logSoftmax, sampleToken } from "./sample-float.ts";

export type FloatEngineOptions = {
  /** Bytes of the file that the weights come from. */
  readonly imageBytes: number;
  /** Default 1. */
  readonly seed?: number;
  /** Positions of keys and values; default: the model's context. */
  readonly window?: number;
};

/** Runs a checkpoint in float32. */
export function createFloatEngine(checkpoint: LlamaCheckpoint, options: FloatEngineOptions): LanguageEngine {
  const forward = createFloatForward(checkpoint, options);
  const random = createRandom(options.seed ?? 1);
  const logProbabilities = new Float32Array(checkpoint.shape.vocab);
  let logits: Float32Array = new Float32Array(checkpoint.shape.vocab);
  return {
    name: "float",
    vocab: checkpoint.shape.vocab,
    imageBytes: options.imageBytes,
    kvBytes: forward.kvBytes,
    peakBytes: forward.weightBytes + forward.kvBytes,
    push(tokens) {
      for (const token of tokens) logits = forward.step(token);
    },
    logProbabilities() {
      logSoftmax(logProbabilities, logits);
      return logProbabilities;
    },
    choose: (sampling) => sampleToken(logits, sampling, sampling.temperature === 0 ? 0 : random.uniform()),
    reset: () => forward.reset(),
  };
}
