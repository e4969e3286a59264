import { isqrt } from "../kernels/rms-norm";
import { Scale, mulScale, scaleOf } from "./scale";
import { multiplyQ15, toBlock, toS8 } from "./vector";

/** Σ a² of a (n) s16. Needs: |a| ≤ 32767, n a multiple of 8, n ≤ LM_LIMIT_IN: below 2^42. */
function sumOfSquares(a: usize, n: i32): u64 {
  let ss: u64 = 0;
  const end = a + <usize>(n << 1);
  if (ASC_FEATURE_SIMD) {
    let sums = i64x2.splat(0);
    for (; a < end; a += 16) {
      const v = v128.load(a);
      const pairs = i32x4.dot_i16x8_s(v, v); // two squares, < 2^31
      sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(pairs), i64x2.extend_high_i32x4_u(pairs)));
    }
    ss = <u64>i64x2.extract_lane(sums, 0) + <u64>i64x2.extract_lane(sums, 1);
  } else {
    for (; a < end; a += 4) {
      const v = <i32>load<i16>(a);
      const w = <i32>load<i16>(a, 2);
      ss += <u64>(<u32>(v * v + w * w));
    }
  }
  return ss;
}

/**
 * y (n) s8 = x/√(mean(x²) + ε) · gain. Returns y's scale.
 *   x (n) s32 the residual; its unit cancels, but for ε
 *   gain (n) s16 Q15, times gainScale
 *   epsilon = max(1, round(n·ε·2^(2·residualBits)))
 *   a (n) s16 scratch
 * Needs: n a multiple of 8. Oracle: test/reference/lm/norm.ts, bit-exact. Source: RMSNorm, arXiv:1910.07467.
 */
export function rmsNormS8(x: usize, gain: usize, gainScale: Scale, a: usize, y: usize, n: i32, epsilon: u32): Scale {
  const e = toBlock(x, 0, a, n);
  let ss = sumOfSquares(a, n);
  ss += e >= 0 ? max<u64>(1, <u64>epsilon >> <u64>(2 * e)) : <u64>epsilon << <u64>(-2 * e);
  let k = 34 - <i32>clz<u64>(ss);
  if (k & 1) k += 1; // even, so that the root of 2^k is a shift
  const v = k >= 0 ? <u32>(ss >> <u64>k) : <u32>(ss << <u64>-k); // in [2^28, 2^30)
  let inverse = <i32>((isqrt(<u32>n << 20) << 15) / isqrt(v)); // √n/√v · 2^25, below 2^17
  let exponent = -25 - (k >> 1);
  const z = <i32>clz<i32>(inverse) - 17;
  if (z >= 0) inverse <<= z;
  else inverse = min<i32>((inverse + (1 << (-z - 1))) >> -z, 32767);
  exponent -= z;
  multiplyQ15(a, gain, n);
  return mulScale(mulScale(toS8(a, y, n, 0), gainScale), scaleOf(inverse, exponent));
}
