import * as external from "./external";
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
    for (let j = 0; j < n; j++) {
      let acc = 0;
      for (let i: usize = 0; i < dim; i++) acc += <i32>load<i8>(q + i) * <i32>load<i8>(key + i);
      store<i32>(scores + <usize>(j << 2), acc);
      key += row;
    }
    softmaxQ15(tables, scores, n, scoreMultiplier, scoreShift);
    for (let i: usize = 0; i < dim; i++) {
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
