import type { LinearTensors } from "../image/image-types.ts";
import { clampS8, clampS16, requantize } from "./fixed-point.ts";

/** acc (nOut) s32 = W·x + b for x (nIn) s8. Core: assembly/kernels/linear-s8.ts. */
export function linearS8(x: Int8Array, { nIn, nOut, weights, bias }: LinearTensors): Int32Array {
  const acc = new Int32Array(nOut);
  for (let row = 0; row < nOut; row++) {
    let sum = bias[row]!;
    const start = row * nIn;
    for (let i = 0; i < nIn; i++) sum = (sum + weights[start + i]! * x[i]!) | 0;
    acc[row] = sum;
  }
  return acc;
}

/** Rows [from, to) of acc by their own scales, to s8. */
export function rowsToS8(acc: Int32Array, { multiplier, shift }: LinearTensors, from = 0, to = acc.length): Int8Array {
  const y = new Int8Array(to - from);
  for (let i = from; i < to; i++) y[i - from] = clampS8(requantize(acc[i]!, multiplier[i]!, shift[i]!));
  return y;
}

/** Rows [from, to) of acc by their own scales, to s16. */
export function rowsToS16(acc: Int32Array, { multiplier, shift }: LinearTensors, from = 0, to = acc.length): Int16Array {
  const y = new Int16Array(to - from);
  for (let i = from; i < to; i++) y[i - from] = clampS16(requantize(acc[i]!, multiplier[i]!, shift[i]!));
  return y;
}

/** residual (nOut) s16 += W·x + b: each clamped to s16, the sum and what is added. */
export function linearToResidual(x: Int8Array, linear: LinearTensors, residual: Int16Array): void {
  const added = rowsToS16(linearS8(x, linear), linear);
  for (let i = 0; i < residual.length; i++) residual[i] = clampS16(residual[i]! + added[i]!);
}
