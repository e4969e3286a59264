import type { FixedScale } from "../image/image-types.ts";
import { exp2Neg } from "./exp2-neg.ts";
import { requantize } from "./fixed-point.ts";

export interface Softmax {
  readonly p: Uint32Array; // (n,) Q15
  readonly reciprocal: number; // ⌊2^31 / Σe⌋: the probability of the largest in Q16
}

/** Softmax of s32 scores; `scale` turns a difference of scores into a Q16 exponent of two. Core: assembly/kernels/softmax.ts. */
export function softmax(scores: ArrayLike<number>, { multiplier, shift }: FixedScale): Softmax {
  const p = new Uint32Array(scores.length);
  let top = scores[0]!;
  for (let j = 1; j < scores.length; j++) top = Math.max(top, scores[j]!);
  let sum = 0;
  for (let j = 0; j < scores.length; j++) {
    p[j] = (exp2Neg(requantize(top - scores[j]!, multiplier, shift)) + 1) >>> 1;
    sum += p[j]!;
  }
  const reciprocal = Math.floor(2 ** 31 / sum);
  for (let j = 0; j < scores.length; j++) p[j] = (p[j]! * reciprocal + 32768) >>> 16; // e · r ≤ 2^31
  return { p, reciprocal };
}
