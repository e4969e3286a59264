import { isqrt } from "../kernels/rms-norm";
import { LANES, ROW16 } from "./lanes";
import { storePair } from "./linear-lanes";
import { biasOf, liftOf, requantize4 } from "./requantize-lanes";

/** Every lane's shift is brought to this one, the largest that rmsNorm can need (n ≤ 512), by a power of two in its factor. */
const SHIFT = 25;

const SUMS = memory.data(LANES * 8, 16); // u64
const MEANS = memory.data(LANES * 4, 16); // s32: m of rmsNorm
const POWERS = memory.data(LANES * 4, 16); // s32: 2^(SHIFT − its shift)

// @ts-ignore: decorator
@inline
function normed(v: v128, m0: v128, m1: v128, p0: v128, p1: v128, bias: v128, lift: v128): v128 {
  const lo = requantize4(i32x4.mul(i32x4.extend_low_i16x8_s(v), m0), p0, bias, SHIFT, lift);
  const hi = requantize4(i32x4.mul(i32x4.extend_high_i16x8_s(v), m1), p1, bias, SHIFT, lift);
  return i16x8.max_s(i16x8.splat(-128), i16x8.min_s(i16x8.splat(127), i16x8.narrow_i32x4_s(lo, hi)));
}

/**
 * rmsNorm (kernels/rms-norm.ts) of every lane: from (n, LANES) s16 to x, pairs of int8 values as s16 for the next linear.
 * The root is the hardware's: the square root of an integer below 2^32 in f64, rounded down, is exact. Oracle: rmsNorm, lane by lane.
 */
export function normLanes(from: usize, x: usize, n: i32, epsilon: i32): void {
  const last = from + <usize>n * ROW16;
  let s0 = i64x2.splat(<i64>epsilon);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let p = from; p < last; p += ROW16) {
    const v = v128.load(p);
    const lo = i32x4.extmul_low_i16x8_s(v, v);
    const hi = i32x4.extmul_high_i16x8_s(v, v);
    s0 = i64x2.add(s0, i64x2.extend_low_i32x4_u(lo));
    s1 = i64x2.add(s1, i64x2.extend_high_i32x4_u(lo));
    s2 = i64x2.add(s2, i64x2.extend_low_i32x4_u(hi));
    s3 = i64x2.add(s3, i64x2.extend_high_i32x4_u(hi));
  }
  v128.store(SUMS, s0);
  v128.store(SUMS, s1, 16);
  v128.store(SUMS, s2, 32);
  v128.store(SUMS, s3, 48);
  const rootN = isqrt(<u32>n << 20) << 15;
  for (let lane: usize = 0; lane < <usize>LANES; lane++) {
    const ss = load<u64>(SUMS + (lane << 3));
    let e = 64 - <i32>clz<u64>(ss) - 30;
    if (e & 1) e += 1;
    const v = e >= 0 ? <u32>(ss >> <u64>e) : <u32>(ss << <u64>-e);
    store<i32>(MEANS + (lane << 2), <i32>(rootN / <u32>Math.sqrt(<f64>v)));
    store<i32>(POWERS + (lane << 2), 1 << (SHIFT - 20 - (e >> 1)));
  }
  const m0 = v128.load(MEANS);
  const m1 = v128.load(MEANS, 16);
  const p0 = v128.load(POWERS);
  const p1 = v128.load(POWERS, 16);
  const bias = biasOf(SHIFT);
  const lift = liftOf(SHIFT);
  let p = from;
  for (; p + ROW16 < last; p += 2 * ROW16) {
    storePair(x, normed(v128.load(p), m0, m1, p0, p1, bias, lift), normed(v128.load(p, 16), m0, m1, p0, p1, bias, lift));
    x += 32;
  }
  if (p < last) storePair(x, normed(v128.load(p), m0, m1, p0, p1, bias, lift), i16x8.splat(0));
}
