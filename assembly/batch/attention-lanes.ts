import { word } from "../words";
import { exp2Neg } from "../kernels/tables";
import * as L from "../layout";
import { Batch, LANES, LANES_PROJECTION, LANES_SMALL, LANES_X, ROW16, ROW32, WIDE, pointerOf } from "./lanes";
import { linearLanes, pairUp } from "./linear-lanes";
import { normLanes } from "./norm-lanes";
import { biasOf, liftOf, lookup8, requantize4, requantize8 } from "./requantize-lanes";

const SHARES = memory.data(LANES * 4, 16); // u32: ⌊2^31 / Σe⌋
const GATE = memory.data(LANES * 2, 16); // s16: SiLU(g) of one channel

/** Bytes of a block's state: a header with the patches seen, K and V s16 (W, nKvHeads · headDim, LANES). */
export function stateBytes(record: usize): u32 {
  const row = word(record, L.ATTENTION_KV_HEADS) * word(record, L.ATTENTION_HEAD_DIM);
  return L.STATE_HEADER_BYTES + 2 * word(record, L.ATTENTION_WINDOW) * row * <u32>ROW16;
}

export function scratch(record: usize, buffer: i32): i32 {
  const heads = word(record, L.ATTENTION_HEADS) * word(record, L.ATTENTION_HEAD_DIM);
  const kv = word(record, L.ATTENTION_KV_HEADS) * word(record, L.ATTENTION_HEAD_DIM);
  const dMlp = word(record, L.ATTENTION_D_MLP);
  if (buffer == LANES_PROJECTION) return max<i32>(heads + 2 * kv, 2 * dMlp);
  if (buffer == LANES_SMALL) return word(record, L.ATTENTION_WINDOW);
  return buffer == LANES_X ? max<i32>(heads, dMlp) : heads;
}

export function linearOf(record: usize, k: i32): usize {
  if (k == 0) return record + (L.ATTENTION_QKV << 2);
  if (k == 1) return record + (L.ATTENTION_O_PROJ << 2);
  if (k == 2) return record + (L.ATTENTION_GATE_UP << 2);
  return k == 3 ? record + (L.ATTENTION_DOWN << 2) : 0;
}

/** The keys and values of its window. */
export function reach(record: usize): i32 {
  return word(record, L.ATTENTION_WINDOW);
}

/** The block on every lane. Without `isNeeded` only keys and values are kept. */
export function step(batch: Batch, block: i32, record: usize, state: usize, residual: usize, isNeeded: bool): void {
  const image = batch.image;
  const dModel = batch.dModel;
  const heads = word(record, L.ATTENTION_HEADS) * word(record, L.ATTENTION_HEAD_DIM);
  const kvRow = <usize>(word(record, L.ATTENTION_KV_HEADS) * word(record, L.ATTENTION_HEAD_DIM)) * ROW16;
  const window = word(record, L.ATTENTION_WINDOW);
  const dMlp = word(record, L.ATTENTION_D_MLP);
  const keys = state + L.STATE_HEADER_BYTES;
  const values = keys + <usize>window * kvRow;

  // q, k, v = qkv · norm(residual); k and v take the oldest slot
  normLanes(residual, batch.x, dModel, word(record, L.BLOCK_EPSILON));
  linearLanes(image, record + (L.ATTENTION_QKV << 2), pointerOf(batch, block, WIDE), batch.x, batch.projection, i32.MAX_VALUE, false);
  const count = load<i32>(state);
  const slot = <usize>(count % window) * kvRow;
  const k = batch.projection + <usize>heads * ROW16;
  memory.copy(keys + slot, k, kvRow);
  memory.copy(values + slot, k + kvRow, kvRow);
  store<i32>(state, count + 1 == 2 * window ? window : count + 1);
  if (!isNeeded) return;

  // residual += oProj · softmax(q·kᵀ)·v
  attend(batch, record, keys, values, min<i32>(count + 1, window));
  pairUp(batch.inner, batch.x, heads);
  linearLanes(image, record + (L.ATTENTION_O_PROJ << 2), pointerOf(batch, block, WIDE + 1), batch.x, residual, 0, true);

  // residual += down · (SiLU(g) · u),  g, u = gateUp · norm(residual)
  normLanes(residual, batch.x, dModel, word(record, L.ATTENTION_MLP_EPSILON));
  linearLanes(image, record + (L.ATTENTION_GATE_UP << 2), pointerOf(batch, block, WIDE + 2), batch.x, batch.projection, i32.MAX_VALUE, false);
  const table = image + word(record, L.ATTENTION_SILU);
  for (let i: usize = 0; i < <usize>dMlp; i++) {
    const g = batch.projection + i * ROW16;
    lookup8(table, v128.load(g), GATE);
    const gate = v128.load(GATE);
    const u = v128.load(g + <usize>dMlp * ROW16);
    const q = requantize8(
      i32x4.extmul_low_i16x8_s(gate, u), i32x4.extmul_high_i16x8_s(gate, u),
      word(record, L.ATTENTION_MLP_MULTIPLIER), word(record, L.ATTENTION_MLP_SHIFT), i16x8.splat(-128), i16x8.splat(127),
    );
    v128.store(g, q);
  }
  pairUp(batch.projection, batch.x, dMlp);
  linearLanes(image, record + (L.ATTENTION_DOWN << 2), pointerOf(batch, block, WIDE + 3), batch.x, residual, 0, true);
}

/** attentionS8 on every lane: q in batch.projection, y (nHeads · headDim, LANES) to batch.inner. n slots are valid. */
function attend(batch: Batch, record: usize, keys: usize, values: usize, n: i32): void {
  const headDim = <usize>word(record, L.ATTENTION_HEAD_DIM);
  const nHeads = word(record, L.ATTENTION_HEADS);
  const nKvHeads = word(record, L.ATTENTION_KV_HEADS);
  const row = <usize>nKvHeads * headDim * ROW16;
  const scores = batch.small;
  let q = batch.projection;
  let y = batch.inner;
  for (let h = 0; h < nHeads; h++) {
    const shared = <usize>((h * nKvHeads) / nHeads) * headDim * ROW16;
    let key = keys + shared;
    for (let j = 0; j < n; j++) {
      let lo = i32x4.splat(0);
      let hi = i32x4.splat(0);
      for (let i: usize = 0; i < headDim; i++) {
        const a = v128.load(q + i * ROW16);
        const b = v128.load(key + i * ROW16);
        lo = i32x4.add(lo, i32x4.extmul_low_i16x8_s(a, b));
        hi = i32x4.add(hi, i32x4.extmul_high_i16x8_s(a, b));
      }
      v128.store(scores + <usize>j * ROW32, lo);
      v128.store(scores + <usize>j * ROW32, hi, 16);
      key += row;
    }
    softmaxLanes(batch.tables, scores, n, word(record, L.ATTENTION_SCORE_MULTIPLIER), word(record, L.ATTENTION_SCORE_SHIFT));
    for (let i: usize = 0; i < headDim; i++) {
      let value = values + shared + i * ROW16;
      let lo = i32x4.splat(0);
      let hi = i32x4.splat(0);
      for (let j = 0; j < n; j++) {
        const v = v128.load(value);
        lo = i32x4.add(lo, i32x4.mul(v128.load(scores + <usize>j * ROW32), i32x4.extend_low_i16x8_s(v)));
        hi = i32x4.add(hi, i32x4.mul(v128.load(scores + <usize>j * ROW32, 16), i32x4.extend_high_i16x8_s(v)));
        value += row;
      }
      const out = requantize8(lo, hi, word(record, L.ATTENTION_OUT_MULTIPLIER), word(record, L.ATTENTION_OUT_SHIFT), i16x8.splat(-128), i16x8.splat(127));
      v128.store(y, out);
      y += ROW16;
    }
    q += headDim * ROW16;
  }
}

/** softmaxQ15 on every lane, in place: scores (n, LANES) s32 to Q15. */
function softmaxLanes(tables: usize, scores: usize, n: i32, multiplier: i32, shift: i32): void {
  const end = scores + <usize>n * ROW32;
  const m = i32x4.splat(multiplier);
  const right = 31 - shift;
  const bias = biasOf(right);
  const lift = liftOf(right);
  for (let half: usize = 0; half < 32; half += 16) {
    let top = v128.load(scores + half);
    for (let p = scores; p < end; p += ROW32) top = i32x4.max_s(top, v128.load(p + half));
    for (let p = scores; p < end; p += ROW32) v128.store(p + half, requantize4(i32x4.sub(top, v128.load(p + half)), m, bias, right, lift));
  }
  for (let lane: usize = 0; lane < <usize>LANES; lane++) {
    let sum: u32 = 0;
    for (let p = scores + (lane << 2); p < end; p += ROW32) {
      const e = (exp2Neg(tables, load<u32>(p)) + 1) >> 1;
      store<u32>(p, e);
      sum += e;
    }
    store<u32>(SHARES + (lane << 2), <u32>0x80000000 / sum);
  }
  for (let half: usize = 0; half < 32; half += 16) {
    const share = v128.load(SHARES + half);
    for (let p = scores; p < end; p += ROW32) {
      v128.store(p + half, i32x4.shr_u(i32x4.add(i32x4.mul(v128.load(p + half), share), i32x4.splat(32768)), 16));
    }
  }
}
