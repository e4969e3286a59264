import { clampS8, requantize } from "../../host/core/arithmetic/fixed-point.ts";
import type { SsmBlock } from "../../host/core/image/image-types.ts";

/**
 * One step of a causal depthwise convolution and its SiLU. x (dInner) s8; past (dConv − 1, dInner) s8, oldest first, moves on by one.
 * Core: assembly/kernels/conv1d-s8.ts. Source: arXiv:2312.00752 §3.4.
 */
export function conv1dS8(x: Int8Array, past: Int8Array, block: SsmBlock): Int8Array {
  const { dInner, dConv, convWeights, convBias, convMultiplier, convShift, siluX } = block;
  const u = new Int8Array(dInner);
  for (let c = 0; c < dInner; c++) {
    let acc = convBias[c]!;
    for (let k = 0; k < dConv - 1; k++) acc += convWeights[k * dInner + c]! * past[k * dInner + c]!;
    acc += convWeights[(dConv - 1) * dInner + c]! * x[c]!;
    u[c] = siluX[clampS8(requantize(acc, convMultiplier[c]!, convShift[c]!)) + 128]!;
  }
  if (dConv > 1) {
    past.copyWithin(0, dInner);
    past.set(x, (dConv - 2) * dInner);
  }
  return u;
}
