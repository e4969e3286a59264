// Four rows at once, each with its own scale, for builds with SIMD. A lane cannot shift by its own count, so a row's shift becomes a
// factor: acc · 2^(shift − least) with the least shift of all rows, then one shift for all. `prepare` has checked that this fits
// (checkLanes in ../check.ts): an image outside of it takes the plain path. Same bits as `requantize`.

/** The largest shift − least of rows that are not always zero: a factor is an unsigned byte. */
export const LANES_SPREAD = 7;
/** The largest `least`: from here on the lower word of a product is beyond what the rounding sees. */
export const LANES_LEAST = -1;

/** The least of n shifts s8; n a multiple of 16, at least 16. */
export function leastShift(shift: usize, n: i32): i32 {
  let v = v128.load(shift);
  for (let i = 16; i < n; i += 16) v = i8x16.min_s(v, v128.load(shift + <usize>i));
  v = i8x16.min_s(v, v128.shuffle<i64>(v, v, 1, 0));
  v = i8x16.min_s(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2));
  v = i8x16.min_s(v, v128.shuffle<i16>(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
  return min<i32>(i8x16.extract_lane_s(v, 0), i8x16.extract_lane_s(v, 1));
}

/** 2^(shift − least) of 16 rows as bytes; 0 for rows beyond LANES_SPREAD, which are always zero. */
// @ts-ignore: decorator
@inline
export function factors16(shift: usize, least: v128): v128 {
  return i8x16.swizzle(i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0), i8x16.sub(v128.load(shift), least));
}

/** Half of the last place of a shift by `places` of the upper word: for requantize4. */
// @ts-ignore: decorator
@inline
export function halfOf(places: i32): v128 {
  return i64x2.splat((<i64>1) << (31 + places));
}

/** acc · multiplier · 2^−(32 + places), half up, on four lanes s32. `places` = −1 − shift; |acc · multiplier| ≤ 2^62. */
// @ts-ignore: decorator
@inline
export function requantize4(acc: v128, multiplier: v128, half: v128, places: i32): v128 {
  const low = i64x2.add(i64x2.extmul_low_i32x4_s(acc, multiplier), half);
  const high = i64x2.add(i64x2.extmul_high_i32x4_s(acc, multiplier), half);
  return i32x4.shr_s(v128.shuffle<i32>(low, high, 1, 3, 5, 7), places);
}

/** Eight rows to s16, clamped. acc: two vectors s32; multiplier: where eight s32 lie; factors: eight s16. */
// @ts-ignore: decorator
@inline
export function rows8(low: v128, high: v128, multiplier: usize, factors: v128, half: v128, places: i32): v128 {
  return i16x8.narrow_i32x4_s(
    requantize4(i32x4.mul(low, i32x4.extend_low_i16x8_u(factors)), v128.load(multiplier), half, places),
    requantize4(i32x4.mul(high, i32x4.extend_high_i16x8_u(factors)), v128.load(multiplier, 16), half, places),
  );
}

/** The four sums of four vectors s32. */
// @ts-ignore: decorator
@inline
export function sums4(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const a = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 4, 2, 6), v128.shuffle<i32>(s0, s1, 1, 5, 3, 7));
  const c = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 4, 2, 6), v128.shuffle<i32>(s2, s3, 1, 5, 3, 7));
  return i32x4.add(v128.shuffle<i64>(a, c, 0, 2), v128.shuffle<i64>(a, c, 1, 3));
}

/** The sum of a vector s32. */
// @ts-ignore: decorator
@inline
export function sum1(s: v128): i32 {
  const pair = i32x4.add(s, v128.shuffle<i64>(s, s, 1, 0));
  return i32x4.extract_lane(pair, 0) + i32x4.extract_lane(pair, 1);
}

/** Eight entries of a table of s8 indexed by q + 128, each times 256: s16. */
// @ts-ignore: decorator
@inline
export function lookup8(table: usize, q: usize): v128 {
  const middle = table + 128;
  let v = i32x4.splat(0);
  v = v128.load_lane<i8>(middle + <usize><i32>load<i8>(q), v, 1);
  v = v128.load_lane<i8>(middle + <usize><i32>load<i8>(q, 1), v, 3);
  v = v128.load_lane<i8>(middle + <usize><i32>load<i8>(q, 2), v, 5);
  v = v128.load_lane<i8>(middle + <usize><i32>load<i8>(q, 3), v, 7);
  v = v128.load_lane<i8>(middle + <usize><i32>load<i8>(q, 4), v, 9);
  v = v128.load_lane<i8>(middle + <usize><i32>load<i8>(q, 5), v, 11);
  v = v128.load_lane<i8>(middle + <usize><i32>load<i8>(q, 6), v, 13);
  return v128.load_lane<i8>(middle + <usize><i32>load<i8>(q, 7), v, 15);
}
