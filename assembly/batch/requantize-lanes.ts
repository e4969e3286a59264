/**
 * Low 32 bits of (acc · multiplier + bias) >> shift, less `lift`, on four lanes: `requantize` of kernels/requantize.ts.
 *   acc, multiplier  s32
 *   bias             s64, both lanes: biasOf(shift); it holds 2^62, so that the sum is never negative and a logical shift will do
 *   lift             s32, all lanes: liftOf(shift): what that 2^62 has become
 * Needs: |acc · multiplier| ≤ 2^62, 1 ≤ shift ≤ 62.
 */
// @ts-ignore: decorator
@inline
export function requantize4(acc: v128, multiplier: v128, bias: v128, shift: i32, lift: v128): v128 {
  const low = i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(acc, multiplier), bias), shift);
  const high = i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(acc, multiplier), bias), shift);
  return i32x4.sub(v128.shuffle<i32>(low, high, 0, 2, 4, 6), lift);
}

/** Half of the last place, and 2^62. `shift` is to the right. */
// @ts-ignore: decorator
@inline
export function biasOf(shift: i32): v128 {
  return i64x2.splat(((<i64>1) << (shift - 1)) + ((<i64>1) << 62));
}

// @ts-ignore: decorator
@inline
export function liftOf(shift: i32): v128 {
  return i32x4.splat(<i32>(((<i64>1) << 62) >> shift));
}

/** Eight s32 of two vectors to s16, requantised alike and kept in [low, high] (s16 in all lanes). */
// @ts-ignore: decorator
@inline
export function requantize8(lo: v128, hi: v128, multiplier: i32, shift: i32, low: v128, high: v128): v128 {
  const m = i32x4.splat(multiplier);
  const right = 31 - shift;
  const bias = biasOf(right);
  const lift = liftOf(right);
  const y = i16x8.narrow_i32x4_s(requantize4(lo, m, bias, right, lift), requantize4(hi, m, bias, right, lift));
  return i16x8.max_s(low, i16x8.min_s(high, y));
}

/** Eight entries of a table of s8, indexed by q + 128, to y (LANES) s16. q s16 in [−128, 127]. */
// @ts-ignore: decorator
@inline
export function lookup8(table: usize, q: v128, y: usize): void {
  const middle = table + 128;
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 0)), 0);
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 1)), 2);
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 2)), 4);
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 3)), 6);
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 4)), 8);
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 5)), 10);
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 6)), 12);
  store<i16>(y, load<i8>(middle + <usize>i16x8.extract_lane_s(q, 7)), 14);
}
