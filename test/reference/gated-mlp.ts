import { clampS8, requantize } from "../../host/core/arithmetic/fixed-point.ts";
import { linearS8, linearToResidual, rowsToS8 } from "../../host/core/arithmetic/linear-s8.ts";
import { rmsNorm } from "../../host/core/arithmetic/rms-norm.ts";
import type { AttentionBlock } from "../../host/core/image/image-types.ts";

/** m (dMlp) s8 = SiLU(g) · u, from g then u in one array. Core: assembly/kernels/gated-mlp.ts. Source: arXiv:2002.05202. */
export function gatedS8(gateUp: Int8Array, { dMlp, silu, mlp }: AttentionBlock): Int8Array {
  const m = new Int8Array(dMlp);
  for (let i = 0; i < dMlp; i++) {
    m[i] = clampS8(requantize(silu[gateUp[i]! + 128]! * gateUp[dMlp + i]!, mlp.multiplier, mlp.shift));
  }
  return m;
}

/** residual += down · (SiLU(g) · u),  g, u = gateUp · norm(residual). */
export function stepMlp(block: AttentionBlock, residual: Int16Array): void {
  const gateUp = rowsToS8(linearS8(rmsNorm(residual, block.mlpEpsilon), block.gateUp), block.gateUp);
  linearToResidual(gatedS8(gateUp, block), block.down, residual);
}
