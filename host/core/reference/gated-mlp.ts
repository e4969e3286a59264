import { clampS8, requantize } from "../fixed-point.ts";
import type { AttentionBlock } from "../image-types.ts";
import { linearS8, linearToResidual, rowsToS8 } from "./linear-s8.ts";
import { rmsNorm } from "./rms-norm.ts";

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
