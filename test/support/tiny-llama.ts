import type { LlamaShape } from "../../host/lm/checkpoint.ts";

/** As small as the language core runs it, with nothing a power of two that need not be. */
export const tinyShape: LlamaShape = {
  dim: 16,
  hidden: 28,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headSize: 8,
  vocab: 37,
  context: 64,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedHead: true,
};
