// One token through the model: the whole of it on one page. Scratch is shared by all blocks; the rings persist.
import { word } from "../words";
import { attendHead, inUnits, scaleShift, storeKey, storeValue } from "./attention";
import { Lm, arrayAt, blockAt, ringOf } from "./context";
import * as M from "./layout";
import { gated } from "./mlp";
import { rmsNormS8 } from "./norm";
import { addToResidual, embed } from "./residual";
import { rotate, rotation } from "./rope";
import { Scale, exponentOf, mantissaOf, mulScale, raised, scaleAt } from "./scale";
import { groupedMatrix, largestS32, matrix, scaleQ15, scaleRows, toBlock, toS8 } from "./vector";

/** norm = RMSNorm(residual)·gain; returns its scale. */
function normed(lm: Lm, record: usize, gain: i32): Scale {
  return rmsNormS8(
    lm.residual, arrayAt(lm, record, gain + M.GAIN_VALUES), scaleAt(record, gain + M.GAIN_SCALE), lm.wide, lm.norm, lm.dModel,
    word(lm.input, M.TOKENS_EPSILON),
  );
}

/** acc = W·norm of a block's matrix, in groups if the block says so. */
function multiply(lm: Lm, record: usize, index: i32, groups: i32, nIn: i32, nOut: i32): void {
  const weights = arrayAt(lm, record, index + M.MATRIX_WEIGHTS);
  const size = word(record, M.DECODER_GROUP_SIZE);
  if (size == 0) matrix(lm.norm, weights, lm.acc, nIn, nOut);
  else groupedMatrix(lm.norm, weights, arrayAt(lm, record, groups), lm.acc, nIn, nOut, size);
}

/** residual += W·norm. */
function project(lm: Lm, record: usize, index: i32, groups: i32, scale: Scale, nIn: i32): void {
  multiply(lm, record, index, groups, nIn, lm.dModel);
  const exponent = toBlock(lm.acc, arrayAt(lm, record, index + M.MATRIX_ROWS), lm.wide, lm.dModel);
  const product = raised(mulScale(scale, scaleAt(record, index + M.MATRIX_SCALE)), exponent);
  addToResidual(lm.residual, lm.wide, product, lm.residualBits, lm.dModel);
}

/** Each head vector of a (heads, headSize) s16 to s8 in the ring, its scale in units of 2^unit. */
function keep(lm: Lm, a: usize, scale: Scale, exponent: i32, unit: i32, ring: usize, scales: usize, kvHeads: i32, isKey: bool): void {
  const slot = load<u32>(lm.state, M.LM_STATE_SLOT << 2);
  const headSize = lm.headSize;
  for (let h = 0; h < kvHeads; h++) {
    const own = mulScale(toS8(a, lm.norm, headSize, exponent), scale);
    store<u16>(scales + ((<u32>(h * lm.window) + slot) << 1), inUnits(own, unit));
    const at = ring + <usize>(h * lm.window * headSize);
    if (isKey) storeKey(at, slot, lm.norm, headSize);
    else storeValue(at, slot, lm.norm, headSize);
    a += headSize << 1;
  }
}

/** residual += Wo·Attention(RMSNorm(residual)), this position's key and value in the ring first. */
function attention(lm: Lm, record: usize, ring: usize, n: i32): void {
  const headSize = lm.headSize;
  const heads = word(record, M.DECODER_HEADS);
  const kvHeads = word(record, M.DECODER_KV_HEADS);
  const nQ = heads * headSize;
  const nKv = kvHeads * headSize;
  const keyUnit = word(record, M.DECODER_KEY_UNIT);
  const valueUnit = word(record, M.DECODER_VALUE_UNIT);
  const input = normed(lm, record, M.DECODER_ATTENTION_GAIN);
  multiply(lm, record, M.DECODER_QKV, M.DECODER_QKV_GROUPS, lm.dModel, nQ + 2 * nKv);
  const rows = arrayAt(lm, record, M.DECODER_QKV + M.MATRIX_ROWS);
  const q = lm.wide;
  const k = q + <usize>(nQ << 1);
  const v = k + <usize>(nKv << 1);
  let qExponent = toBlock(lm.acc, rows, q, nQ);
  const kExponent = toBlock(lm.acc + <usize>(nQ << 2), rows + <usize>(nQ << 1), k, nKv);
  const vExponent = toBlock(lm.acc + <usize>((nQ + nKv) << 2), rows + <usize>((nQ + nKv) << 1), v, nKv);
  rotate(q, lm.cosines, lm.sines, nQ + nKv, headSize); // halves q and k: one more in their exponents
  // The mantissa of q's scale goes into q, so that a power of two is left of it.
  const qScale = mulScale(input, scaleAt(record, M.DECODER_QKV + M.MATRIX_SCALE));
  scaleQ15(q, mantissaOf(qScale), nQ);
  qExponent += exponentOf(qScale) + 16;

  const ringSize = <usize>(lm.window * nKv);
  const scalesSize = <usize>((lm.window * kvHeads) << 1);
  const values = ring + ringSize;
  const keyScales = values + ringSize;
  const valueScales = keyScales + scalesSize;
  keep(lm, k, mulScale(input, scaleAt(record, M.DECODER_K_SCALE)), kExponent + 1, keyUnit, ring, keyScales, kvHeads, true);
  keep(lm, v, mulScale(input, scaleAt(record, M.DECODER_V_SCALE)), vExponent, valueUnit, values, valueScales, kvHeads, false);

  const group = heads / kvHeads;
  for (let h = 0; h < kvHeads; h++) {
    const from = <usize>(h * lm.window);
    const ks = keyScales + (from << 1);
    const vs = valueScales + (from << 1);
    const kShift = scaleShift(ks, n);
    const vShift = scaleShift(vs, n);
    for (let g = h * group; g < (h + 1) * group; g++) {
      attendHead(
        q + <usize>((g * headSize) << 1), ring + from * headSize, values + from * headSize, ks, vs, lm.scores, lm.weights,
        lm.acc + <usize>((g * headSize) << 2), n, headSize, qExponent, keyUnit, kShift, vShift,
      );
    }
  }
  const exponent = toBlock(lm.acc, 0, lm.wide, nQ);
  project(lm, record, M.DECODER_OUT, M.DECODER_OUT_GROUPS, toS8(lm.wide, lm.norm, nQ, exponent + valueUnit - 6), nQ);
}

/** residual += Wdown·(SiLU(Wgate·x) ⊙ Wup·x), x = RMSNorm(residual). */
function feedForward(lm: Lm, record: usize): void {
  const hidden = word(record, M.DECODER_HIDDEN);
  const input = normed(lm, record, M.DECODER_MLP_GAIN);
  multiply(lm, record, M.DECODER_GATE_UP, M.DECODER_GATE_UP_GROUPS, lm.dModel, hidden << 1);
  const rows = arrayAt(lm, record, M.DECODER_GATE_UP + M.MATRIX_ROWS);
  const gate = lm.wide;
  const up = gate + <usize>(hidden << 1);
  const gateExponent = toBlock(lm.acc, rows, gate, hidden);
  const upExponent = toBlock(lm.acc + <usize>(hidden << 2), rows + <usize>(hidden << 1), up, hidden);
  const gateScale = raised(mulScale(input, scaleAt(record, M.DECODER_GATE_UP + M.MATRIX_SCALE)), gateExponent);
  const upScale = raised(mulScale(input, scaleAt(record, M.DECODER_UP_SCALE)), upExponent);
  gated(gate, up, lm.acc, gateScale, hidden);
  const exponent = toBlock(lm.acc, 0, lm.wide, hidden);
  const product = mulScale(toS8(lm.wide, lm.norm, hidden, exponent), mulScale(gateScale, upScale));
  project(lm, record, M.DECODER_DOWN, M.DECODER_DOWN_GROUPS, product, hidden);
}

/** logits (vocabulary) s32 = W·RMSNorm(residual), and their scale. */
function head(lm: Lm): void {
  const record = lm.head;
  const input = normed(lm, record, M.LANGUAGE_GAIN);
  const isTied = word(record, M.LANGUAGE_HEAD + M.MATRIX_WEIGHTS) == 0;
  const at = isTied ? lm.input : record;
  const index = isTied ? M.TOKENS_EMBEDDING : M.LANGUAGE_HEAD;
  const n = lm.vocabulary;
  matrix(lm.norm, arrayAt(lm, at, index + M.MATRIX_WEIGHTS), lm.logits, lm.dModel, n);
  const z = <i32>clz<u32>(max<u32>(largestS32(lm.logits, n), 1)) - 17;
  const left = max<i32>(z, 0);
  const right = max<i32>(-z, 0);
  scaleRows(lm.logits, arrayAt(lm, at, index + M.MATRIX_ROWS), n, left, right);
  lm.logitScale = raised(mulScale(input, scaleAt(record, M.LANGUAGE_HEAD + M.MATRIX_SCALE)), right - left - 15);
}

/** Runs a token below `vocabulary`; with `hasLogits` its logits as well. */
export function step(lm: Lm, token: usize, hasLogits: bool): void {
  const state = lm.state;
  const position = load<u32>(state, M.LM_STATE_POSITION << 2);
  const n = min<i32>(load<i32>(state, M.LM_STATE_COUNT << 2) + 1, lm.window);
  const stride = (lm.dModel + 15) & ~15;
  const row = arrayAt(lm, lm.input, M.TOKENS_EMBEDDING + M.MATRIX_WEIGHTS) + token * <usize>stride;
  const mantissa = <i32>load<i16>(arrayAt(lm, lm.input, M.TOKENS_EMBEDDING + M.MATRIX_ROWS) + (token << 1));
  const scale = raised(scaleAt(lm.input, M.TOKENS_EMBEDDING + M.MATRIX_SCALE), -8); // (e8·row) >> 7 is e8·row/2^15 · 2^8
  embed(row, mantissa, lm.wide, lm.dModel);
  memory.fill(lm.residual, 0, lm.dModel << 2);
  addToResidual(lm.residual, lm.wide, scale, lm.residualBits, lm.dModel);
  rotation(position, arrayAt(lm, lm.input, M.TOKENS_ROPE_STEPS), lm.cosines, lm.sines, lm.headSize >> 1);
  for (let b = 0; b < lm.nBlocks; b++) {
    const record = blockAt(lm, b);
    attention(lm, record, ringOf(lm, b), n);
    feedForward(lm, record);
  }
  if (hasLogits) head(lm);
  const slot = load<u32>(state, M.LM_STATE_SLOT << 2) + 1;
  store<u32>(state, position + 1, M.LM_STATE_POSITION << 2);
  store<u32>(state, slot == <u32>lm.window ? 0 : slot, M.LM_STATE_SLOT << 2);
  store<i32>(state, n, M.LM_STATE_COUNT << 2);
}
