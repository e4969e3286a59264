import { q15 } from "./scale";

// 2^−z by a cubic of the fraction: z in Q11, 0 … 32767. Every step fits int16; monotone; error ≤ 2.2 units of the last place (all inputs tried).
// Oracle: test/reference/lm/exp2.ts, bit-exact.

/** 2^−f in Q15 of the fraction f of z: 16383 … 32766. */
// @ts-ignore: decorator
@inline
export function exp2FractionQ15(z: i32): i32 {
  const f = (z & 2047) << 4;
  return 32766 + q15(f, -22643 + q15(f, 7539 + q15(f, -1278)));
}

/** 2^−z in Q14: 0 … 16383. */
// @ts-ignore: decorator
@inline
export function exp2NegQ14(z: i32): i32 {
  const n = z >> 11;
  return (exp2FractionQ15(z) + (1 << n)) >> (n + 1);
}

/** exp2NegQ14 of eight lanes. The power 2^(14 − n) is one bit of two bytes: both come by one look-up, its index past the table for none. */
// @ts-ignore: decorator
@inline
export function exp2NegQ14x8(z: v128): v128 {
  const f = i16x8.shl(v128.and(z, i16x8.splat(2047)), 4);
  let p = i16x8.add(i16x8.q15mulr_sat_s(f, i16x8.splat(-1278)), i16x8.splat(7539));
  p = i16x8.add(i16x8.q15mulr_sat_s(f, p), i16x8.splat(-22643));
  p = i16x8.add(i16x8.q15mulr_sat_s(f, p), i16x8.splat(32766));
  const n = i16x8.shr_u(z, 11);
  const index = i8x16.add(v128.or(n, i16x8.shl(n, 8)), i8x16(-7, 1, -7, 1, -7, 1, -7, 1, -7, 1, -7, 1, -7, 1, -7, 1));
  return i16x8.q15mulr_sat_s(p, v128.swizzle(i8x16(-128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0), index));
}
