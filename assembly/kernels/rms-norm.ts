import * as external from "./external";
import { clampS8 } from "./requantize";

/** floor(√v): by the float unit where there is SIMD (exact: √ is rounded to 53 bits), else bit by bit: 16 steps, no division. */
export function isqrt(v: u32): u32 {
  if (ASC_FEATURE_SIMD) return <u32>sqrt<f64>(<f64>v);
  let rest = v;
  let root: u32 = 0;
  let bit: u32 = 1 << ((31 - <u32>clz<u32>(v)) & 30); // the highest that v has
  while (bit != 0) {
    const trial = root + bit;
    root >>= 1;
    if (rest >= trial) {
      rest -= trial;
      root += bit;
    }
    bit >>= 2;
  }
  return root;
}

/**
 * y = x / √(mean(x²) + ε), an RMS of 1 coming out as 32 (FIXED_NORM_ONE). The gain lives in the next linear's weights.
 *   x (n,) s16   any scale
 *   y (n,) s8    scale 1/32
 *   epsilon      n·ε / sx², at least 1: added to Σx²
 * Needs: n ≤ 512. Rounding: half up, once. Oracle: host/core/arithmetic/rms-norm.ts, bit-exact. Source: arXiv:1910.07467.
 */
export function rmsNorm(x: usize, y: usize, n: i32, epsilon: i32): void {
  if (isDefined(LINK_KERNELS)) return external.rmsNorm(x, y, n, epsilon);
  let ss = <u64>epsilon;
  const last = x + <usize>(n << 1);
  let p = x;
  if (ASC_FEATURE_SIMD) {
    let sums = i64x2.splat(0);
    for (; p + 16 <= last; p += 16) {
      const v = v128.load(p);
      const pairs = i32x4.dot_i16x8_s(v, v); // at most 2^31: unsigned
      sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(pairs), i64x2.extend_high_i32x4_u(pairs)));
    }
    ss += <u64>i64x2.extract_lane(sums, 0) + <u64>i64x2.extract_lane(sums, 1);
  }
  for (; p < last; p += 2) {
    const v = <i32>load<i16>(p);
    ss += <u64>(<u32>(v * v));
  }
  // v in [2^28, 2^30) keeps 14 bits in its root; e is even so that the root of 2^e is a shift.
  let e = 64 - <i32>clz<u64>(ss) - 30;
  if (e & 1) e += 1;
  const v = e >= 0 ? <u32>(ss >> <u64>e) : <u32>(ss << <u64>-e);
  const m = <i32>((isqrt(<u32>n << 20) << 15) / isqrt(v));
  const shift = 20 + (e >> 1);
  const half = 1 << (shift - 1);
  p = x;
  if (ASC_FEATURE_SIMD) {
    const ms = i32x4.splat(m);
    const halves = i32x4.splat(half);
    for (; p + 32 <= last; p += 32) {
      const a = v128.load(p);
      const b = v128.load(p, 16);
      const low = i16x8.narrow_i32x4_s(
        i32x4.shr_s(i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_s(a), ms), halves), shift),
        i32x4.shr_s(i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_s(a), ms), halves), shift),
      );
      const high = i16x8.narrow_i32x4_s(
        i32x4.shr_s(i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_s(b), ms), halves), shift),
        i32x4.shr_s(i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_s(b), ms), halves), shift),
      );
      v128.store(y, i8x16.narrow_i16x8_s(low, high));
      y += 16;
    }
  }
  for (; p < last; p += 2) {
    store<i8>(y, clampS8((<i32>load<i16>(p) * m + half) >> shift));
    y += 1;
  }
}
