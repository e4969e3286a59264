import { linearS8, linearToResidual, rowsToS8, rowsToS16 } from "../../../host/core/arithmetic/linear-s8.ts";
import { rmsNorm } from "../../../host/core/arithmetic/rms-norm.ts";
import type { SsmBlock } from "../../../host/core/image/blocks/block.ts";
import type { Views } from "../../../host/core/session/views.ts";
import { conv1dS8 } from "../conv1d-s8.ts";
import { gateS16, selectiveScan } from "../selective-scan.ts";
import type { OracleBlock } from "./block.ts";

/** The state of an ssm block. */
interface SsmState {
  readonly convState: Int8Array; // (dConv − 1, dInner), oldest first
  readonly scan: Int32Array; // (dInner, dState)
}

/** residual += Mamba-2 block (residual). Core: assembly/blocks/ssm.ts. Source: arXiv:2405.21060. */
function step(block: SsmBlock, state: SsmState, residual: Int16Array): void {
  const { dInner, dState, inProj } = block;
  // z, x, B, C, Δ = inProj · norm(residual)
  const acc = linearS8(rmsNorm(residual, block.epsilon), inProj);
  const wide = 2 * dInner + 2 * dState;
  const zxBC = rowsToS8(acc, inProj, 0, wide);
  const z = zxBC.subarray(0, dInner);
  const x = zxBC.subarray(dInner, 2 * dInner);
  const b = zxBC.subarray(2 * dInner, 2 * dInner + dState);
  const c = zxBC.subarray(2 * dInner + dState);
  const dtRaw = rowsToS16(acc, inProj, wide);

  const u = conv1dS8(x, state.convState, block);
  const y = selectiveScan(dtRaw, b, c, u, state.scan, block);
  const g = gateS16(y, z, block.siluZ);
  linearToResidual(rmsNorm(g, block.gateEpsilon), block.outProj, residual);
}

/** The block with its state, taken from `views`. */
export function ssmOracle(block: SsmBlock, _header: Uint32Array, views: Views): OracleBlock {
  const state: SsmState = { convState: views.s8((block.dConv - 1) * block.dInner), scan: views.s32(block.dInner * block.dState) };
  return { step: (residual) => step(block, state, residual), bounds: () => [], scan: state.scan };
}
