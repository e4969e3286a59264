import * as L from "../layout";
import { checkLanes, checkLinear, checkLinearLanes, checkRows, checkScale, inTensors, linearAt } from "../check";
import { Context } from "../context";
import { Model } from "../image";
import { conv1dS8 } from "../kernels/conv1d-s8";
import { rmsNorm } from "../kernels/rms-norm";
import { gateS16, selectiveScan } from "../kernels/selective-scan";
import { align16, between, word } from "../words";
import { linear, linearToResidual, rowsToS16, rowsToS8 } from "./linear";
import * as S from "./scratch";

// Mamba-2: a causal convolution and a selective scan, gated. Source: arXiv:2405.21060. What each function is: block.ts.

const LIMIT_TAPS = 8;

export function check(model: Model, record: usize): i32 {
  const dInner = word(record, L.SSM_D_INNER);
  const nHeads = word(record, L.SSM_HEADS);
  const headDim = word(record, L.SSM_HEAD_DIM);
  const dState = word(record, L.SSM_D_STATE);
  const taps = word(record, L.SSM_D_CONV);
  const image = model.image;
  if (!between(dInner, 1, L.LIMIT_DIM) || !between(nHeads, 1, L.LIMIT_HEADS) || !between(headDim, 1, L.LIMIT_DIM)) return L.STATUS_BAD_BLOCK;
  if (!between(dState, 1, L.LIMIT_STATE) || !between(taps, 1, LIMIT_TAPS) || nHeads * headDim != dInner) return L.STATUS_BAD_BLOCK;
  if (word(record, L.SSM_GATE_EPSILON) < 1) return L.STATUS_BAD_BLOCK;
  const log2State = 32 - clz<i32>(dState - 1);
  if (!between(word(record, L.SSM_SCAN_SHIFT), 7 + log2State, 20)) return L.STATUS_BAD_SCAN;
  let status = checkLinear(model, linearAt(record, L.SSM_IN_PROJ), model.dModel, 2 * dInner + 2 * dState + nHeads);
  if (status != L.STATUS_OK) return status;
  status = checkLinear(model, linearAt(record, L.SSM_OUT_PROJ), dInner, model.dModel);
  if (status != L.STATUS_OK) return status;
  if (!inTensors(model, word(record, L.SSM_CONV_WEIGHTS), taps * dInner)) return L.STATUS_BAD_TENSOR;
  const products = <u64>taps << 14;
  status = checkRows(model, word(record, L.SSM_CONV_BIAS), word(record, L.SSM_CONV_MULTIPLIER), word(record, L.SSM_CONV_SHIFT), dInner, products);
  if (status != L.STATUS_OK) return status;
  if (!inTensors(model, word(record, L.SSM_SILU_X), L.SILU_TABLE_BYTES)) return L.STATUS_BAD_TENSOR;
  if (!inTensors(model, word(record, L.SSM_SILU_Z), L.SILU_TABLE_BYTES)) return L.STATUS_BAD_TENSOR;
  checkLinearLanes(model, linearAt(record, L.SSM_IN_PROJ), wideRows(record));
  checkLinearLanes(model, linearAt(record, L.SSM_OUT_PROJ), model.dModel);
  checkLanes(model, word(record, L.SSM_CONV_BIAS), word(record, L.SSM_CONV_MULTIPLIER), word(record, L.SSM_CONV_SHIFT), dInner, products);
  if (ASC_FEATURE_SIMD) {
    const siluZ = image + word(record, L.SSM_SILU_Z);
    for (let i = 0; i < L.SILU_TABLE_BYTES; i++) if (load<i8>(siluZ + <usize>i) == -128) model.lanes = false;
  }
  const a = <u32>word(record, L.SSM_A);
  const d = <u32>word(record, L.SSM_D);
  if (!inTensors(model, a, nHeads << 2) || !inTensors(model, d, nHeads << 2)) return L.STATUS_BAD_TENSOR;
  for (let h: usize = 0; h < <usize>nHeads; h++) {
    if (!between(load<i32>(image + a + (h << 2)), L.FIXED_A_MIN, L.FIXED_A_MAX)) return L.STATUS_BAD_SCAN;
    if (!between(load<i32>(image + d + (h << 2)), -L.LIMIT_D, L.LIMIT_D)) return L.STATUS_BAD_SCAN;
  }
  return checkScale(word(record, L.SSM_Y_MULTIPLIER), word(record, L.SSM_Y_SHIFT), 0x7fffffff);
}

/** z, x, B, C: rows of the projection that become int8. */
function wideRows(record: usize): i32 {
  return 2 * (word(record, L.SSM_D_INNER) + word(record, L.SSM_D_STATE));
}

export function scratch(record: usize, buffer: i32): i32 {
  const nHeads = word(record, L.SSM_HEADS);
  if (buffer == S.SCRATCH_ACC) return wideRows(record) + nHeads;
  if (buffer == S.SCRATCH_PROJECTION) return wideRows(record);
  if (buffer == S.SCRATCH_SMALL) return <i32>align16(nHeads << 1) + (word(record, L.SSM_D_STATE) << 2);
  return word(record, L.SSM_D_INNER); // NORM, INNER
}

export function stateBytes(record: usize): u32 {
  const dInner = word(record, L.SSM_D_INNER);
  return align16((word(record, L.SSM_D_CONV) - 1) * dInner) + align16((dInner * word(record, L.SSM_D_STATE)) << 2);
}

export function ops(model: Model, record: usize, kind: i32): u32 {
  const dModel = model.dModel;
  const dInner = word(record, L.SSM_D_INNER);
  const dState = word(record, L.SSM_D_STATE);
  const nHeads = word(record, L.SSM_HEADS);
  const rows = wideRows(record) + nHeads;
  const weights = dModel * rows + word(record, L.SSM_D_CONV) * dInner + dInner * dModel;
  if (kind == L.OPS_WEIGHT_BYTES) return weights;
  if (kind == L.OPS_MACS) return weights + 2 * dInner * dState;
  if (kind == L.OPS_REQUANTIZE) return rows + 2 * dInner + dModel;
  if (kind == L.OPS_STATE) return dInner * dState;
  if (kind == L.OPS_LOOKUP) return 2 * dInner + 2 * nHeads;
  return dModel + dInner;
}

/** Any convolution state and any scan state can be gone on from: no index is read from them. */
export function isSoundState(record: usize, state: usize): bool {
  return true;
}

/** residual += block(residual). `state`: a header, the convolution's past s8 (dConv − 1, dInner), the scan s32 (dInner, dState). */
export function step(ctx: Context, record: usize, state: usize): void {
  const image = ctx.image;
  const dInner = word(record, L.SSM_D_INNER);
  const dState = word(record, L.SSM_D_STATE);
  const nHeads = word(record, L.SSM_HEADS);
  const taps = word(record, L.SSM_D_CONV);
  const inProj = record + (L.SSM_IN_PROJ << 2);
  const convState = state + L.STATE_HEADER_BYTES;
  const scanState = convState + align16((taps - 1) * dInner);
  const z = ctx.projection;
  const x = z + <usize>dInner;
  const b = x + <usize>dInner;
  const c = b + <usize>dState;
  const dtRaw = ctx.small;
  const dtB = dtRaw + align16(nHeads << 1);
  const y = ctx.acc; // the projection's sums are spent by then

  // z, x, B, C, Δ = inProj · norm(residual)
  rmsNorm(ctx.residual, ctx.norm, ctx.dModel, word(record, L.BLOCK_EPSILON));
  linear(image, inProj, ctx.norm, ctx.acc);
  const wide = wideRows(record);
  rowsToS8(image, inProj, ctx.acc, ctx.projection, 0, wide, ctx.lanes);
  rowsToS16(image, inProj, ctx.acc, dtRaw, wide, nHeads);

  // u = SiLU(conv(x))
  conv1dS8(
    convState, x, image + word(record, L.SSM_CONV_WEIGHTS), image + word(record, L.SSM_CONV_BIAS), image + word(record, L.SSM_CONV_MULTIPLIER),
    image + word(record, L.SSM_CONV_SHIFT), image + word(record, L.SSM_SILU_X), ctx.inner, dInner, taps, ctx.lanes,
  );

  // h = a·h + Δ·B·u, y = C·h + D·u
  selectiveScan(
    ctx.tables, dtRaw, b, c, ctx.inner, image + word(record, L.SSM_A), image + word(record, L.SSM_D), scanState, dtB, y,
    nHeads, word(record, L.SSM_HEAD_DIM), dState, word(record, L.SSM_SCAN_SHIFT), word(record, L.SSM_Y_MULTIPLIER), word(record, L.SSM_Y_SHIFT),
  );

  // residual += outProj · norm(y · SiLU(z))
  gateS16(y, z, image + word(record, L.SSM_SILU_Z), dInner, ctx.lanes);
  rmsNorm(y, ctx.norm, dInner, word(record, L.SSM_GATE_EPSILON));
  linearToResidual(image, record + (L.SSM_OUT_PROJ << 2), ctx.norm, ctx.acc, ctx.residual, ctx.lanes);
}
