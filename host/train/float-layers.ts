import type { Parameters } from "./layers.ts";
import { NORM_EPSILON } from "./net-constants.ts";

// The layers of the float reference: plain float64, no chunks, no jax.

export function linear(p: Parameters, name: string, x: Float32Array | Float64Array): Float64Array {
  const w = p[`${name}.w`]!; // (nIn, nOut)
  const y = Float64Array.from(p[`${name}.b`]!);
  const nOut = y.length;
  for (let k = 0; k < x.length; k++) {
    const value = x[k]!;
    for (let o = 0; o < nOut; o++) y[o]! += value * w[k * nOut + o]!;
  }
  return y;
}

export function rmsNorm(x: Float64Array): Float64Array {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  const factor = 1 / Math.sqrt(sum / x.length + NORM_EPSILON);
  return x.map((value) => value * factor);
}

export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}
