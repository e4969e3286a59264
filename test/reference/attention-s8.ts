import { clampS8, requantize } from "../../host/core/arithmetic/fixed-point.ts";
import { softmax } from "../../host/core/arithmetic/softmax.ts";
import type { AttentionBlock } from "../../host/core/image/image-types.ts";

/**
 * One query (nHeads, headDim) s8 over the first `n` slots of keys and values (W, nKvHeads, headDim) s8; returns (nHeads, headDim) s8.
 * Core: assembly/kernels/attention-s8.ts. Source: arXiv:1706.03762 §3.2, arXiv:2305.13245.
 */
export function attentionS8(q: Int8Array, keys: Int8Array, values: Int8Array, n: number, block: AttentionBlock): Int8Array {
  const { nHeads, nKvHeads, headDim } = block;
  const row = nKvHeads * headDim;
  const y = new Int8Array(nHeads * headDim);
  for (let h = 0; h < nHeads; h++) {
    const shared = Math.floor((h * nKvHeads) / nHeads) * headDim;
    const scores = new Int32Array(n);
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let d = 0; d < headDim; d++) sum += q[h * headDim + d]! * keys[j * row + shared + d]!;
      scores[j] = sum;
    }
    const { p } = softmax(scores, block.score);
    for (let d = 0; d < headDim; d++) {
      let acc = 0;
      for (let j = 0; j < n; j++) acc += p[j]! * values[j * row + shared + d]!;
      y[h * headDim + d] = clampS8(requantize(acc, block.out.multiplier, block.out.shift));
    }
  }
  return y;
}
