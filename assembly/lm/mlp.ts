import { exp2NegQ14, exp2NegQ14x8 } from "./exp2";
import { Scale, exponentOf, halfOf, mantissaOf, mulScale, q15, scaleOf } from "./scale";

// log2(e) = 23637·2^−14
const LOG2E_MANTISSA = 23637;
const LOG2E_EXPONENT = -14;

/** σ(|x|) in Q15 from 2^−|x|·log2(e) in Q14: 1/(1 + e) by a quartic, 16392 … 32761, error 2.4e−4 (all inputs tried). */
// @ts-ignore: decorator
@inline
function sigmoidQ15(power: i32): i32 {
  const w = 2 * power - 16384;
  return 21848 + q15(w, -14497 + q15(w, 9589 + q15(w, -7490 + q15(w, 5296))));
}

/** g·σ(g·scale)·u of eight lanes, the low and the high four. */
// @ts-ignore: decorator
@inline
function swish(g: v128, m: v128, halves: v128, right: i32, left: i32, cap: v128): v128 {
  const size = i16x8.abs(g);
  const most = i32x4.splat(32767);
  let lo = i32x4.min_s(i32x4.extmul_low_i16x8_s(size, m), cap);
  let hi = i32x4.min_s(i32x4.extmul_high_i16x8_s(size, m), cap);
  lo = i32x4.min_s(i32x4.shr_s(i32x4.add(i32x4.shl(lo, left), halves), right), most);
  hi = i32x4.min_s(i32x4.shr_s(i32x4.add(i32x4.shl(hi, left), halves), right), most);
  const w = i16x8.sub(i16x8.shl(exp2NegQ14x8(i16x8.narrow_i32x4_s(lo, hi)), 1), i16x8.splat(16384));
  let s = i16x8.add(i16x8.q15mulr_sat_s(w, i16x8.splat(5296)), i16x8.splat(-7490));
  s = i16x8.add(i16x8.q15mulr_sat_s(w, s), i16x8.splat(9589));
  s = i16x8.add(i16x8.q15mulr_sat_s(w, s), i16x8.splat(-14497));
  s = i16x8.add(i16x8.q15mulr_sat_s(w, s), i16x8.splat(21848));
  // x < 0: 2^15 − σ, which is −σ of sixteen bits less 2^15.
  const isNegative = i16x8.lt_s(g, i16x8.splat(0));
  return i16x8.q15mulr_sat_s(g, v128.bitselect(i16x8.sub(i16x8.splat(-32768), s), s, isNegative));
}

/**
 * h (n) s32 = q15(g, σ(g·scale))·u. g, u (n) s16 blocks; |h| < 2^30; n a multiple of 4.
 * Oracle: test/reference/lm/mlp.ts, bit-exact. Source: SwiGLU, arXiv:2002.05202.
 */
export function gated(g: usize, u: usize, h: usize, gateScale: Scale, n: i32): void {
  const z = mulScale(gateScale, scaleOf(LOG2E_MANTISSA, LOG2E_EXPONENT)); // to Q11
  const m = mantissaOf(z);
  const s = -(exponentOf(z) + 11);
  const right = min<i32>(max<i32>(s, 0), 31);
  const left = min<i32>(max<i32>(-s, 0), 15);
  const half = halfOf(right);
  const cap = left > 0 ? 32767 : i32.MAX_VALUE;
  const end = h + <usize>(n << 2);
  if (ASC_FEATURE_SIMD) {
    const ms = i16x8.splat(<i16>m);
    const halves = i32x4.splat(half);
    const caps = i32x4.splat(cap);
    const whole = h + <usize>((n & ~7) << 2);
    while (h < whole) {
      const product = swish(v128.load(g), ms, halves, right, left, caps);
      const up = v128.load(u);
      v128.store(h, i32x4.extmul_low_i16x8_s(product, up));
      v128.store(h, i32x4.extmul_high_i16x8_s(product, up), 16);
      g += 16;
      u += 16;
      h += 32;
    }
    if (h < end) v128.store(h, i32x4.extmul_low_i16x8_s(swish(v128.load64_zero(g), ms, halves, right, left, caps), v128.load64_zero(u)));
  } else {
    while (h < end) {
      const x = <i32>load<i16>(g);
      const size = min<i32>(((min<i32>(abs<i32>(x) * m, cap) << left) + half) >> right, 32767);
      const sigmoid = sigmoidQ15(exp2NegQ14(size));
      store<i32>(h, q15(x, x < 0 ? 32768 - sigmoid : sigmoid) * <i32>load<i16>(u));
      g += 2;
      u += 2;
      h += 4;
    }
  }
}
