import { lax, numpy as np } from "@jax-js/jax";
import { NORM_EPSILON, NORM_SCALE } from "./net-constants.ts";

/** Parameters and scales inside a traced function. Each array is used up by its last use: every other one takes `.ref`. */
export type Arrays = Record<string, np.Array>;

/**
 * What the layers need beside parameters. `scales` undefined = float; else int8 is imitated where the core has it.
 * `observe` is called with each activation that will need a scale.
 */
export interface Numerics {
  readonly scales: Arrays | undefined;
  readonly observe?: (name: string, value: np.Array) => void;
}

/**
 * Breaks in a batch of sequences. From a reset on, scan and attention know nothing of what came before; the convolution still reads the
 * three patches before it, which a rebuild in the core does not have.
 */
export interface Breaks {
  readonly logDecay: np.Array; // (B, L, 1): 0, or −60 at a reset
  readonly attentionMask: np.Array; // (B or 1, nChunks, 1, 1, Q, K) added to scores: 0 or −10⁴
}

/** x · 1/(1 + e^−x), with finite gradients everywhere. */
export function silu(x: np.Array): np.Array {
  const e = np.exp(np.maximum(x.ref, -80).neg());
  return x.mul(np.reciprocal(e.add(1)));
}

/** log(1 + e^x), with finite gradients everywhere. */
export function softplus(x: np.Array): np.Array {
  return np.maximum(x.ref, 0).add(np.log(np.exp(np.absolute(x).neg()).add(1)));
}

/** Rounds to scale·[−128, 127], half up; the gradient passes where nothing was clipped (straight-through). */
export function fakeQuantize(x: np.Array, scale: np.Array | number): np.Array {
  const steps = typeof scale === "number" ? x.mul(1 / scale) : x.div(scale.ref);
  const clipped = np.clip(steps, -128, 127);
  const rounded = np.floor(clipped.ref.add(0.5));
  const passed = clipped.ref.add(lax.stopGradient(rounded.sub(clipped)));
  return typeof scale === "number" ? passed.mul(scale) : passed.mul(scale);
}

/** Weights (rows, nOut) with one symmetric int8 scale a column: the core's one scale an output row. */
export function fakeQuantizeWeights(w: np.Array): np.Array {
  const scale = np.maximum(lax.stopGradient(np.max(np.absolute(w.ref), 0, { keepdims: true })).mul(1 / 127), 1e-8);
  const steps = w.div(scale.ref);
  const rounded = np.floor(steps.ref.add(0.5));
  return steps.ref.add(lax.stopGradient(rounded.sub(steps))).mul(scale);
}

/** (…, n) → int8 scale 1/32, no gain: it is folded into the next linear. Source: arXiv 1910.07467. */
export function rmsNorm(x: np.Array, numerics: Numerics): np.Array {
  const meanSquare = np.mean(x.ref.mul(x.ref), -1, { keepdims: true });
  const y = x.mul(np.reciprocal(np.sqrt(meanSquare.add(NORM_EPSILON))));
  return numerics.scales ? fakeQuantize(y, NORM_SCALE) : y;
}

/** x (B, L, nIn) · w (nIn, nOut) + b. */
export function linear(x: np.Array, name: string, p: Arrays, numerics: Numerics): np.Array {
  const w = numerics.scales ? fakeQuantizeWeights(p[`${name}.w`]!) : p[`${name}.w`]!;
  return np.matmul(x, w).add(p[`${name}.b`]!);
}

/** An activation that the core holds as int8. */
export function activation(name: string, x: np.Array, numerics: Numerics): np.Array {
  numerics.observe?.(name, x.ref);
  return numerics.scales ? fakeQuantize(x, numerics.scales[name]!) : x;
}

/** Trained numbers by name; shapes are in parameterShapes(config). */
export type Parameters = Record<string, Float32Array>;

/** Activation scales by name: real value of one int8 (or, for y, int16) step. */
export type Scales = Readonly<Record<string, number>>;
