// The residual stream: x (dModel) s32 in units of 2^−residualBits, kept in ±(2^30 − 1), so that an addition cannot wrap.
import { Scale, clampTo, exponentOf, halfOf, mantissaOf } from "./scale";

const MOST = (1 << 30) - 1;

/**
 * x = clamp(x + a·scale). a (n) s16 in [−32767, 32767], so |a·m| < 2^30; n a multiple of 4.
 * Oracle: test/reference/lm/residual.ts, bit-exact.
 */
export function addToResidual(x: usize, a: usize, scale: Scale, residualBits: i32, n: i32): void {
  const m = mantissaOf(scale);
  const s = exponentOf(scale) + residualBits;
  const right = min<i32>(max<i32>(-s, 0), 31);
  const left = min<i32>(max<i32>(s, 0), 30);
  const half = halfOf(right);
  const limit = MOST >> left;
  const end = x + <usize>(n << 2);
  if (ASC_FEATURE_SIMD) {
    const factor = i16x8.splat(<i16>m);
    const halves = i32x4.splat(half);
    const limits = i32x4.splat(limit);
    const mosts = i32x4.splat(MOST);
    for (; x < end; x += 16) {
      const product = i32x4.extmul_low_i16x8_s(v128.load64_zero(a), factor);
      let t = i32x4.shr_s(i32x4.add(product, halves), right);
      t = i32x4.shl(i32x4.max_s(i32x4.min_s(t, limits), i32x4.neg(limits)), left);
      t = i32x4.add(v128.load(x), t);
      v128.store(x, i32x4.max_s(i32x4.min_s(t, mosts), i32x4.neg(mosts)));
      a += 8;
    }
  } else {
    for (; x < end; x += 4) {
      const t = clampTo((<i32>load<i16>(a) * m + half) >> right, limit) << left;
      store<i32>(x, clampTo(load<i32>(x) + t, MOST));
      a += 2;
    }
  }
}

/** a (n) s16 in ±32767 = a token's row (n) s8 of the embedding times its Q15 mantissa, over 2^7. */
export function embed(row: usize, mantissa: i32, a: usize, n: i32): void {
  for (const end = row + <usize>n; row < end; row++) {
    store<i16>(a, (<i32>load<i8>(row) * mantissa + 64) >> 7);
    a += 2;
  }
}
