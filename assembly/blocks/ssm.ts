import {
  BLOCK_EPSILON, CONFIG_D_MODEL, SSM_A, SSM_CONV_BIAS, SSM_CONV_MULTIPLIER, SSM_CONV_SHIFT, SSM_CONV_WEIGHTS, SSM_D, SSM_D_CONV,
  SSM_D_INNER, SSM_D_STATE, SSM_GATE_EPSILON, SSM_HEADS, SSM_HEAD_DIM, SSM_IN_PROJ, SSM_OUT_PROJ, SSM_SCAN_SHIFT, SSM_SILU_X, SSM_SILU_Z,
  SSM_Y_MULTIPLIER, SSM_Y_SHIFT, STATE_HEADER_BYTES,
} from "../layout";
import { Context, align16, word } from "../context";
import { conv1dS8 } from "../kernels/conv1d-s8";
import { rmsNorm } from "../kernels/rms-norm";
import { gateS16, selectiveScan } from "../kernels/selective-scan";
import { linear, linearToResidual, rowsToS16, rowsToS8 } from "./linear";

/** residual += Mamba-2 block (residual). Source: arXiv:2405.21060. `state` is the block's part of the tail. */
export function stepSsm(ctx: Context, record: usize, state: usize): void {
  const image = ctx.image;
  const dInner = word(record, SSM_D_INNER);
  const dState = word(record, SSM_D_STATE);
  const nHeads = word(record, SSM_HEADS);
  const taps = word(record, SSM_D_CONV);
  const inProj = record + (SSM_IN_PROJ << 2);
  const convState = state + STATE_HEADER_BYTES;
  const scanState = convState + align16((taps - 1) * dInner);
  const z = ctx.projection;
  const x = z + <usize>dInner;
  const b = x + <usize>dInner;
  const c = b + <usize>dState;
  const dtRaw = ctx.small;
  const dtB = dtRaw + align16(nHeads << 1);
  const y = ctx.acc; // the projection's sums are spent by then

  // z, x, B, C, Δ = inProj · norm(residual)
  rmsNorm(ctx.residual, ctx.norm, word(ctx.config, CONFIG_D_MODEL), word(record, BLOCK_EPSILON));
  linear(image, inProj, ctx.norm, ctx.acc);
  const wide = 2 * dInner + 2 * dState;
  rowsToS8(image, inProj, ctx.acc, ctx.projection, 0, wide);
  rowsToS16(image, inProj, ctx.acc, dtRaw, wide, nHeads);

  // u = SiLU(conv(x))
  conv1dS8(
    convState, x, image + word(record, SSM_CONV_WEIGHTS), image + word(record, SSM_CONV_BIAS), image + word(record, SSM_CONV_MULTIPLIER),
    image + word(record, SSM_CONV_SHIFT), image + word(record, SSM_SILU_X), ctx.inner, dInner, taps,
  );

  // h = a·h + Δ·B·u, y = C·h + D·u
  selectiveScan(
    ctx.tables, dtRaw, b, c, ctx.inner, image + word(record, SSM_A), image + word(record, SSM_D), scanState, dtB, y,
    nHeads, word(record, SSM_HEAD_DIM), dState, word(record, SSM_SCAN_SHIFT), word(record, SSM_Y_MULTIPLIER), word(record, SSM_Y_SHIFT),
  );

  // residual += outProj · norm(y · SiLU(z))
  gateS16(y, z, image + word(record, SSM_SILU_Z), dInner);
  rmsNorm(y, ctx.norm, dInner, word(record, SSM_GATE_EPSILON));
  linearToResidual(image, record + (SSM_OUT_PROJ << 2), ctx.norm, ctx.acc, ctx.residual);
}
