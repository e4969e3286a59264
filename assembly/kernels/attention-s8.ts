import * as external from "./external";
import { halfOf, requantize4, sum1, sums4 } from "./lanes";
import { clampS8, requantize } from "./requantize";
import { softmaxQ15 } from "./softmax";

/**
 * One query over a ring of keys and values; several heads may share a KV head. No position encoding: slots may come in any order.
 *   q      (nHeads, headDim)            s8
 *   k, v   (W, nKvHeads, headDim)       s8   slots 0 … n − 1 are valid
 *   scores (n,)                         s32  scratch
 *   y      (nHeads, headDim)            s8
 * Needs: 1 ≤ n ≤ 256, headDim ≤ 512. Rounding: half up in softmax and once an output.
 * Oracle: test/reference/attention-s8.ts, bit-exact. Source: arXiv:1706.03762 §3.2, arXiv:2305.13245.
 */
export function attentionS8(
  tables: usize, q: usize, k: usize, v: usize, scores: usize, y: usize, n: i32, nHeads: i32, nKvHeads: i32, headDim: i32,
  scoreMultiplier: i32, scoreShift: i32, outMultiplier: i32, outShift: i32,
): void {
  if (isDefined(LINK_KERNELS)) {
    return external.attentionS8(tables, q, k, v, scores, y, n, nHeads, nKvHeads, headDim, scoreMultiplier, scoreShift, outMultiplier, outShift);
  }
  const row = <usize>(nKvHeads * headDim);
  const dim = <usize>headDim;
  for (let h = 0; h < nHeads; h++) {
    const shared = <usize>((h * nKvHeads) / nHeads) * dim;
    let key = k + shared;
    let j = 0;
    if (ASC_FEATURE_SIMD) {
      if ((headDim & 7) == 0) {
        for (; j + 4 <= n; j += 4) {
          let s0 = i32x4.splat(0);
          let s1 = s0;
          let s2 = s0;
          let s3 = s0;
          for (let i: usize = 0; i < dim; i += 8) {
            const query = v128.load_ext<i8>(q + i);
            const at = key + i;
            s0 = i32x4.add(s0, i32x4.dot_i16x8_s(query, v128.load_ext<i8>(at)));
            s1 = i32x4.add(s1, i32x4.dot_i16x8_s(query, v128.load_ext<i8>(at + row)));
            s2 = i32x4.add(s2, i32x4.dot_i16x8_s(query, v128.load_ext<i8>(at + (row << 1))));
            s3 = i32x4.add(s3, i32x4.dot_i16x8_s(query, v128.load_ext<i8>(at + 3 * row)));
          }
          v128.store(scores + <usize>(j << 2), sums4(s0, s1, s2, s3));
          key += row << 2;
        }
        for (; j < n; j++) {
          let s = i32x4.splat(0);
          for (let i: usize = 0; i < dim; i += 8) s = i32x4.add(s, i32x4.dot_i16x8_s(v128.load_ext<i8>(q + i), v128.load_ext<i8>(key + i)));
          store<i32>(scores + <usize>(j << 2), sum1(s));
          key += row;
        }
      }
    }
    for (; j < n; j++) {
      let acc = 0;
      for (let i: usize = 0; i < dim; i++) acc += <i32>load<i8>(q + i) * <i32>load<i8>(key + i);
      store<i32>(scores + <usize>(j << 2), acc);
      key += row;
    }
    softmaxQ15(tables, scores, n, scoreMultiplier, scoreShift);
    let i: usize = 0;
    if (ASC_FEATURE_SIMD) {
      if (outShift < 0) {
        const m = i32x4.splat(outMultiplier);
        const places = -1 - outShift;
        const half = halfOf(places);
        for (; i + 8 <= dim; i += 8) {
          let value = v + shared + i;
          let low = i32x4.splat(0);
          let high = low;
          for (let j = 0; j < n; j++) {
            const p = v128.load_splat<i32>(scores + <usize>(j << 2));
            const own = v128.load_ext<i8>(value);
            low = i32x4.add(low, i32x4.mul(p, i32x4.extend_low_i16x8_s(own)));
            high = i32x4.add(high, i32x4.mul(p, i32x4.extend_high_i16x8_s(own)));
            value += row;
          }
          const wide = i16x8.narrow_i32x4_s(requantize4(low, m, half, places), requantize4(high, m, half, places));
          v128.store_lane<i64>(y, i8x16.narrow_i16x8_s(wide, wide), 0);
          y += 8;
        }
      }
    }
    for (; i < dim; i++) {
      let value = v + shared + i;
      let acc = 0;
      for (let j = 0; j < n; j++) {
        acc += load<i32>(scores + <usize>(j << 2)) * <i32>load<i8>(value);
        value += row;
      }
      store<i8>(y, clampS8(requantize(acc, outMultiplier, outShift)));
      y += 1;
    }
    q += dim;
  }
}
