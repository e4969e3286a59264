import * as L from "../layout";
import { checkLinear, checkLinearLanes, checkScale, inTensors, linearAt } from "../check";
import { Context } from "../context";
import { Model } from "../image";
import { attentionS8 } from "../kernels/attention-s8";
import { gatedS8 } from "../kernels/gated-mlp";
import { rmsNorm } from "../kernels/rms-norm";
import { align16, between, word } from "../words";
import { linear, linearToResidual, rowsToS8 } from "./linear";
import * as S from "./scratch";

// Causal attention over a ring of the last patches, grouped keys and values, then a gated MLP. What each function is: block.ts.

export function check(model: Model, record: usize): i32 {
  const nHeads = word(record, L.ATTENTION_HEADS);
  const nKvHeads = word(record, L.ATTENTION_KV_HEADS);
  const headDim = word(record, L.ATTENTION_HEAD_DIM);
  const dMlp = word(record, L.ATTENTION_D_MLP);
  const dModel = model.dModel;
  if (!between(nHeads, 1, L.LIMIT_HEADS) || !between(nKvHeads, 1, nHeads) || nHeads % nKvHeads != 0) return L.STATUS_BAD_BLOCK;
  if (!between(headDim, 1, L.LIMIT_DIM) || nHeads * headDim > L.LIMIT_DIM) return L.STATUS_BAD_BLOCK;
  if (!between(word(record, L.ATTENTION_WINDOW), 1, L.LIMIT_RING) || !between(dMlp, 1, L.LIMIT_DIM)) return L.STATUS_BAD_BLOCK;
  if (word(record, L.ATTENTION_MLP_EPSILON) < 1) return L.STATUS_BAD_BLOCK;
  let status = checkScale(word(record, L.ATTENTION_SCORE_MULTIPLIER), word(record, L.ATTENTION_SCORE_SHIFT), <u64>headDim << 15);
  if (status != L.STATUS_OK) return status;
  // Σp ≤ 32768 + W/2 after rounding, |v| ≤ 128
  status = checkScale(word(record, L.ATTENTION_OUT_MULTIPLIER), word(record, L.ATTENTION_OUT_SHIFT), (32768 + L.LIMIT_RING) << 7);
  if (status != L.STATUS_OK) return status;
  status = checkScale(word(record, L.ATTENTION_MLP_MULTIPLIER), word(record, L.ATTENTION_MLP_SHIFT), 16384);
  if (status != L.STATUS_OK) return status;
  status = checkLinear(model, linearAt(record, L.ATTENTION_QKV), dModel, (nHeads + 2 * nKvHeads) * headDim);
  if (status != L.STATUS_OK) return status;
  status = checkLinear(model, linearAt(record, L.ATTENTION_O_PROJ), nHeads * headDim, dModel);
  if (status != L.STATUS_OK) return status;
  status = checkLinear(model, linearAt(record, L.ATTENTION_GATE_UP), dModel, 2 * dMlp);
  if (status != L.STATUS_OK) return status;
  status = checkLinear(model, linearAt(record, L.ATTENTION_DOWN), dMlp, dModel);
  if (status != L.STATUS_OK) return status;
  checkLinearLanes(model, linearAt(record, L.ATTENTION_QKV), (nHeads + 2 * nKvHeads) * headDim);
  checkLinearLanes(model, linearAt(record, L.ATTENTION_O_PROJ), dModel);
  checkLinearLanes(model, linearAt(record, L.ATTENTION_GATE_UP), 2 * dMlp);
  checkLinearLanes(model, linearAt(record, L.ATTENTION_DOWN), dModel);
  return inTensors(model, word(record, L.ATTENTION_SILU), L.SILU_TABLE_BYTES) ? L.STATUS_OK : L.STATUS_BAD_TENSOR;
}

/** Elements of all heads' queries. */
function queryRow(record: usize): i32 {
  return word(record, L.ATTENTION_HEADS) * word(record, L.ATTENTION_HEAD_DIM);
}

/** Elements of one patch's keys, or of its values. */
function kvRow(record: usize): i32 {
  return word(record, L.ATTENTION_KV_HEADS) * word(record, L.ATTENTION_HEAD_DIM);
}

export function scratch(record: usize, buffer: i32): i32 {
  if (buffer == S.SCRATCH_NORM || buffer == S.SCRATCH_INNER) return queryRow(record);
  if (buffer == S.SCRATCH_SMALL) return 0;
  const wide = max<i32>(queryRow(record) + 2 * kvRow(record), 2 * word(record, L.ATTENTION_D_MLP));
  return buffer == S.SCRATCH_ACC ? max<i32>(wide, word(record, L.ATTENTION_WINDOW)) : wide;
}

export function stateBytes(record: usize): u32 {
  return 2 * align16(word(record, L.ATTENTION_WINDOW) * kvRow(record));
}

export function ops(model: Model, record: usize, kind: i32): u32 {
  const dModel = model.dModel;
  const nHeads = word(record, L.ATTENTION_HEADS);
  const heads = queryRow(record);
  const window = word(record, L.ATTENTION_WINDOW);
  const rows = heads + 2 * kvRow(record);
  const dMlp = word(record, L.ATTENTION_D_MLP);
  const weights = dModel * rows + heads * dModel + dModel * 2 * dMlp + dMlp * dModel;
  if (kind == L.OPS_WEIGHT_BYTES) return weights;
  if (kind == L.OPS_MACS) return weights + 2 * heads * window;
  if (kind == L.OPS_REQUANTIZE) return rows + nHeads * window + heads + 2 * dModel + 3 * dMlp;
  if (kind == L.OPS_LOOKUP) return nHeads * window + dMlp;
  return kind == L.OPS_NORM ? 2 * dModel : 0;
}

/** The count of patches seen leads to a slot. */
export function isSoundState(record: usize, state: usize): bool {
  return load<u32>(state) < <u32>(2 * word(record, L.ATTENTION_WINDOW));
}

/** residual += attention(residual); residual += MLP(residual). `state`: a header with the count of patches seen, the K and V rings s8. */
export function step(ctx: Context, record: usize, state: usize): void {
  const image = ctx.image;
  const dModel = ctx.dModel;
  const headDim = word(record, L.ATTENTION_HEAD_DIM);
  const nHeads = word(record, L.ATTENTION_HEADS);
  const nKvHeads = word(record, L.ATTENTION_KV_HEADS);
  const window = word(record, L.ATTENTION_WINDOW);
  const dMlp = word(record, L.ATTENTION_D_MLP);
  const row = <usize>kvRow(record);
  const keys = state + L.STATE_HEADER_BYTES;
  const values = keys + align16(window * <i32>row);

  // q, k, v = qkv · norm(residual); k and v take the oldest slot
  const qkv = record + (L.ATTENTION_QKV << 2);
  rmsNorm(ctx.residual, ctx.norm, dModel, word(record, L.BLOCK_EPSILON));
  linear(image, qkv, ctx.norm, ctx.acc);
  const heads = nHeads * headDim;
  rowsToS8(image, qkv, ctx.acc, ctx.projection, 0, heads + 2 * <i32>row, ctx.lanes);
  const count = load<i32>(state);
  const slot = <usize>(count % window) * row;
  const k = ctx.projection + <usize>heads;
  memory.copy(keys + slot, k, row);
  memory.copy(values + slot, k + row, row);
  const seen = count + 1;
  store<i32>(state, seen == 2 * window ? window : seen); // the slot stays the same, the count stays bounded

  // residual += oProj · softmax(q·kᵀ)·v
  attentionS8(
    ctx.tables, ctx.projection, keys, values, ctx.acc, ctx.inner, min<i32>(seen, window), nHeads, nKvHeads, headDim,
    word(record, L.ATTENTION_SCORE_MULTIPLIER), word(record, L.ATTENTION_SCORE_SHIFT), word(record, L.ATTENTION_OUT_MULTIPLIER), word(record, L.ATTENTION_OUT_SHIFT),
  );
  linearToResidual(image, record + (L.ATTENTION_O_PROJ << 2), ctx.inner, ctx.acc, ctx.residual, ctx.lanes);

  // residual += down · (SiLU(g) · u),  g, u = gateUp · norm(residual)
  const gateUp = record + (L.ATTENTION_GATE_UP << 2);
  rmsNorm(ctx.residual, ctx.norm, dModel, word(record, L.ATTENTION_MLP_EPSILON));
  linear(image, gateUp, ctx.norm, ctx.acc);
  rowsToS8(image, gateUp, ctx.acc, ctx.projection, 0, 2 * dMlp, ctx.lanes);
  gatedS8(
    ctx.projection, ctx.projection + <usize>dMlp, image + word(record, L.ATTENTION_SILU), ctx.projection, dMlp,
    word(record, L.ATTENTION_MLP_MULTIPLIER), word(record, L.ATTENTION_MLP_SHIFT),
  );
  linearToResidual(image, record + (L.ATTENTION_DOWN << 2), ctx.projection, ctx.acc, ctx.residual, ctx.lanes);
}
