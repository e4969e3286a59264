import { requantize } from "./requantize";
import { exp2Neg } from "./tables";

/** The largest of n ≥ 1 scores s32. */
export function maxS32(scores: usize, n: i32): i32 {
  let best = load<i32>(scores);
  for (let i = 1; i < n; i++) best = max<i32>(best, load<i32>(scores + <usize>(i << 2)));
  return best;
}

/**
 * p = softmax(scores · scale), in place: s32 in, Q15 out.
 *   scores (n,) s32; (multiplier, shift) turn a score difference into a Q16 exponent of two.
 * Returns ⌊2^31 / Σe⌋, which is also the probability of the largest in Q16. Rounding: half up.
 * Needs: n ≥ 1, score differences below 2^31 after the shift. Oracle: host/core/arithmetic/softmax.ts, bit-exact.
 */
export function softmaxQ15(tables: usize, scores: usize, n: i32, multiplier: i32, shift: i32): u32 {
  const top = maxS32(scores, n);
  let sum: u32 = 0;
  for (let i = 0; i < n; i++) {
    const p = scores + <usize>(i << 2);
    const e = (exp2Neg(tables, <u32>requantize(top - load<i32>(p), multiplier, shift)) + 1) >> 1;
    store<u32>(p, e);
    sum += e;
  }
  const reciprocal = <u32>0x80000000 / sum;
  for (let i = 0; i < n; i++) {
    const p = scores + <usize>(i << 2);
    store<u32>(p, (load<u32>(p) * reciprocal + 32768) >> 16);
  }
  return reciprocal;
}
