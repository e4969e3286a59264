import {
  ATTENTION_DOWN, ATTENTION_D_MLP, ATTENTION_GATE_UP, ATTENTION_HEADS, ATTENTION_HEAD_DIM, ATTENTION_KV_HEADS, ATTENTION_MLP_EPSILON,
  ATTENTION_MLP_MULTIPLIER, ATTENTION_MLP_SHIFT, ATTENTION_OUT_MULTIPLIER, ATTENTION_OUT_SHIFT, ATTENTION_O_PROJ, ATTENTION_QKV,
  ATTENTION_SCORE_MULTIPLIER, ATTENTION_SCORE_SHIFT, ATTENTION_SILU, ATTENTION_WINDOW, BLOCK_EPSILON, CONFIG_D_MODEL, STATE_HEADER_BYTES,
} from "../layout";
import { Context, align16, word } from "../context";
import { attentionS8 } from "../kernels/attention-s8";
import { gatedS8 } from "../kernels/gated-mlp";
import { rmsNorm } from "../kernels/rms-norm";
import { linear, linearToResidual, rowsToS8 } from "./linear";

/** residual += attention(residual); residual += MLP(residual). `state`: count of patches seen, then the K and V rings. */
export function stepAttention(ctx: Context, record: usize, state: usize): void {
  const image = ctx.image;
  const dModel = word(ctx.config, CONFIG_D_MODEL);
  const headDim = word(record, ATTENTION_HEAD_DIM);
  const nHeads = word(record, ATTENTION_HEADS);
  const nKvHeads = word(record, ATTENTION_KV_HEADS);
  const window = word(record, ATTENTION_WINDOW);
  const dMlp = word(record, ATTENTION_D_MLP);
  const kvRow = <usize>(nKvHeads * headDim);
  const keys = state + STATE_HEADER_BYTES;
  const values = keys + align16(window * <i32>kvRow);

  // q, k, v = qkv · norm(residual); k and v take the oldest slot
  const qkv = record + (ATTENTION_QKV << 2);
  rmsNorm(ctx.residual, ctx.norm, dModel, word(record, BLOCK_EPSILON));
  linear(image, qkv, ctx.norm, ctx.acc);
  const heads = nHeads * headDim;
  rowsToS8(image, qkv, ctx.acc, ctx.projection, 0, heads + 2 * <i32>kvRow);
  const count = load<i32>(state);
  const slot = <usize>(count % window) * kvRow;
  const k = ctx.projection + <usize>heads;
  memory.copy(keys + slot, k, kvRow);
  memory.copy(values + slot, k + kvRow, kvRow);
  const seen = count + 1;
  store<i32>(state, seen == 2 * window ? window : seen); // the slot stays the same, the count stays bounded

  // residual += oProj · softmax(q·kᵀ)·v
  attentionS8(
    ctx.tables, ctx.projection, keys, values, ctx.acc, ctx.inner, min<i32>(seen, window), nHeads, nKvHeads, headDim,
    word(record, ATTENTION_SCORE_MULTIPLIER), word(record, ATTENTION_SCORE_SHIFT), word(record, ATTENTION_OUT_MULTIPLIER), word(record, ATTENTION_OUT_SHIFT),
  );
  linearToResidual(image, record + (ATTENTION_O_PROJ << 2), ctx.inner, ctx.acc, ctx.residual);

  // residual += down · (SiLU(g) · u),  g, u = gateUp · norm(residual)
  const gateUp = record + (ATTENTION_GATE_UP << 2);
  rmsNorm(ctx.residual, ctx.norm, dModel, word(record, ATTENTION_MLP_EPSILON));
  linear(image, gateUp, ctx.norm, ctx.acc);
  rowsToS8(image, gateUp, ctx.acc, ctx.projection, 0, 2 * dMlp);
  gatedS8(
    ctx.projection, ctx.projection + <usize>dMlp, image + word(record, ATTENTION_SILU), ctx.projection, dMlp,
    word(record, ATTENTION_MLP_MULTIPLIER), word(record, ATTENTION_MLP_SHIFT),
  );
  linearToResidual(image, record + (ATTENTION_DOWN << 2), ctx.projection, ctx.acc, ctx.residual);
}
