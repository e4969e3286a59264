import type { numpy as np } from "@jax-js/jax";
import { kindOfConfig } from "./blocks/block.ts";
import { type Arrays, type Breaks, linear, type Numerics, rmsNorm } from "./layers.ts";
import type { NetConfig } from "./net-config.ts";

/** One batch as the net sees it. */
export interface NetInput {
  readonly patches: np.Array; // (B, L, patchFrames·channels), real values
  readonly lowerLogDecay: np.Array; // (B, L, 1): breaks of the blocks up to exit 0
  readonly upperLogDecay: np.Array; // (B, L, 1): breaks of the blocks above it
  readonly attentionMask: np.Array; // (B or 1, nChunks, 1, 1, Q, S)
  readonly dropout?: np.Array; // (nMixers, B, 1, dModel): 0 or 1/(1 − rate)
}

/** Logits (B, L, nClasses) of every exit; every array of `input` and `p` is used up. */
export function forward(config: NetConfig, p: Arrays, input: NetInput, numerics: Numerics): np.Array[] {
  const logits: np.Array[] = [];
  const lower: Breaks = { logDecay: input.lowerLogDecay, attentionMask: input.attentionMask };
  const upper: Breaks = { logDecay: input.upperLogDecay, attentionMask: input.attentionMask };
  let mixer = 0;
  const add = (residual: np.Array, update: np.Array): np.Array =>
    residual.add(input.dropout ? update.mul(input.dropout.ref.slice(mixer++)) : update);
  let residual = linear(input.patches, "embed", p, numerics);
  numerics.observe?.("residual", residual.ref);
  config.blocks.forEach((block, i) => {
    const breaks = i <= config.exits[0]! ? lower : upper;
    residual = kindOfConfig(block).forward(residual, i, block, p, numerics, breaks, add);
    numerics.observe?.("residual", residual.ref);
    const exit = config.exits.indexOf(i);
    if (exit >= 0) logits.push(linear(rmsNorm(residual.ref, numerics), `e${exit}`, p, numerics));
  });
  return logits;
}

/** Updates of the residual that dropout applies to. */
export function mixerCount(config: NetConfig): number {
  return config.blocks.reduce((sum, block) => sum + kindOfConfig(block).mixers, 0);
}
