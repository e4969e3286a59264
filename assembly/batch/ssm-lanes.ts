import { word } from "../words";
import { exp2Neg, softplus } from "../kernels/tables";
import * as L from "../layout";
import { Batch, LANES, LANES_PROJECTION, LANES_SMALL, ROW16, ROW32, WIDE, pointerOf } from "./lanes";
import { linearLanes } from "./linear-lanes";
import { normLanes } from "./norm-lanes";
import { lookup8, requantize8 } from "./requantize-lanes";

const DT = memory.data(LANES * 4, 16); // s32: Δ of one head
const DECAY = memory.data(LANES * 4, 16); // s32: a of one head
const GATES = memory.data(LANES * 2, 16); // s16: SiLU(z) of one channel

/** Bytes of a block's state: a header with the conv ring's head, the ring s16 (dConv − 1, dInner, LANES), the scan s32 (dInner, dState, LANES). */
export function stateBytes(record: usize): u32 {
  const dInner = word(record, L.SSM_D_INNER);
  return L.STATE_HEADER_BYTES + (word(record, L.SSM_D_CONV) - 1) * dInner * <u32>ROW16 + dInner * word(record, L.SSM_D_STATE) * <u32>ROW32;
}

export function scratch(record: usize, buffer: i32): i32 {
  const dInner = word(record, L.SSM_D_INNER);
  const dState = word(record, L.SSM_D_STATE);
  if (buffer == LANES_PROJECTION) return 2 * (dInner + dState) + word(record, L.SSM_HEADS);
  return buffer == LANES_SMALL ? dState : dInner;
}

export function linearOf(record: usize, k: i32): usize {
  if (k == 0) return record + (L.SSM_IN_PROJ << 2);
  return k == 1 ? record + (L.SSM_OUT_PROJ << 2) : 0;
}

/** All of them: the scan forgets none. */
export function reach(record: usize): i32 {
  return i32.MAX_VALUE;
}

/** residual (dModel, LANES) += Mamba-2 block (residual): the block on every lane. Without `isNeeded` only the state moves on. */
export function step(batch: Batch, block: i32, record: usize, state: usize, residual: usize, isNeeded: bool): void {
  const image = batch.image;
  const dInner = word(record, L.SSM_D_INNER);
  const dState = word(record, L.SSM_D_STATE);
  const wide = 2 * (dInner + dState);
  const x = batch.projection + <usize>dInner * ROW16;
  // z, x, B, C, Δ = inProj · norm(residual)
  normLanes(residual, batch.x, batch.dModel, word(record, L.BLOCK_EPSILON));
  linearLanes(image, record + (L.SSM_IN_PROJ << 2), pointerOf(batch, block, WIDE), batch.x, batch.projection, wide, false);
  // u = SiLU(conv(x))
  convLanes(image, record, state, x, batch.inner);
  // h = a·h + Δ·B·u, y = C·h + D·u, g = y · SiLU(z): over u
  const scan = state + L.STATE_HEADER_BYTES + <usize>((word(record, L.SSM_D_CONV) - 1) * dInner) * ROW16;
  scanLanes(batch, record, scan, isNeeded);
  if (!isNeeded) return;
  // residual += outProj · norm(g)
  normLanes(batch.inner, batch.x, dInner, word(record, L.SSM_GATE_EPSILON));
  linearLanes(image, record + (L.SSM_OUT_PROJ << 2), pointerOf(batch, block, WIDE + 1), batch.x, residual, 0, true);
}

/** conv1dS8 on every lane: y = SiLU(requantize(Σ w·x)). Past values are in a ring; the first word of `state` is its oldest slot. */
function convLanes(image: usize, record: usize, state: usize, x: usize, y: usize): void {
  const channels = word(record, L.SSM_D_INNER);
  const past = word(record, L.SSM_D_CONV) - 1;
  const head = load<i32>(state);
  const slotBytes = <usize>channels * ROW16;
  const ring = state + L.STATE_HEADER_BYTES;
  const ringEnd = ring + <usize>past * slotBytes;
  const oldest = ring + <usize>head * slotBytes;
  const table = image + word(record, L.SSM_SILU_X);
  const multipliers = image + word(record, L.SSM_CONV_MULTIPLIER);
  const shifts = image + word(record, L.SSM_CONV_SHIFT);
  let bias = image + word(record, L.SSM_CONV_BIAS);
  const low = i16x8.splat(-128);
  const high = i16x8.splat(127);
  for (let c: usize = 0; c < <usize>channels; c++) {
    let lo = v128.load32_splat(bias);
    let hi = lo;
    let w = image + word(record, L.SSM_CONV_WEIGHTS) + c;
    let slot = oldest;
    for (let t = 0; t < past; t++) {
      const v = v128.load(slot + c * ROW16);
      const k = i16x8.splat(load<i8>(w));
      lo = i32x4.add(lo, i32x4.extmul_low_i16x8_s(v, k));
      hi = i32x4.add(hi, i32x4.extmul_high_i16x8_s(v, k));
      w += <usize>channels;
      slot += slotBytes;
      if (slot == ringEnd) slot = ring;
    }
    const v = v128.load(x + c * ROW16);
    const k = i16x8.splat(load<i8>(w));
    lo = i32x4.add(lo, i32x4.extmul_low_i16x8_s(v, k));
    hi = i32x4.add(hi, i32x4.extmul_high_i16x8_s(v, k));
    if (past > 0) v128.store(oldest + c * ROW16, v); // the oldest is spent: the present takes its place
    const q = requantize8(lo, hi, load<i32>(multipliers + (c << 2)), <i32>load<i8>(shifts + c), low, high);
    lookup8(table, q, y + c * ROW16);
    bias += 4;
  }
  if (past > 0) store<i32>(state, head + 1 == past ? 0 : head + 1);
}

/** selectiveScan and gateS16 on every lane: u in batch.inner becomes g. */
function scanLanes(batch: Batch, record: usize, state: usize, isNeeded: bool): void {
  const image = batch.image;
  const dInner = <usize>word(record, L.SSM_D_INNER);
  const dState = <usize>word(record, L.SSM_D_STATE);
  const scanShift = word(record, L.SSM_SCAN_SHIFT);
  const yMultiplier = word(record, L.SSM_Y_MULTIPLIER);
  const yShift = word(record, L.SSM_Y_SHIFT);
  const table = image + word(record, L.SSM_SILU_Z);
  const b = batch.projection + 2 * dInner * ROW16;
  const c = b + dState * ROW16;
  let raw = c + dState * ROW16;
  const dtB = batch.small;
  const low = i32x4.splat(65535);
  const half = i32x4.splat(32768);
  const s16Low = i16x8.splat(-32768);
  const s16High = i16x8.splat(32767);
  let u = batch.inner;
  let z = batch.projection;
  const nHeads = word(record, L.SSM_HEADS);
  const headDim = word(record, L.SSM_HEAD_DIM);
  for (let h = 0; h < nHeads; h++) {
    const aLog2 = <i64>load<i32>(image + word(record, L.SSM_A) + <usize>(h << 2));
    for (let lane: usize = 0; lane < <usize>LANES; lane++) {
      const dt = softplus(batch.tables, <i32>load<i16>(raw + (lane << 1)));
      store<i32>(DT + (lane << 2), dt);
      store<u32>(DECAY + (lane << 2), min<u32>(65535, exp2Neg(batch.tables, <u32>((<i64>dt * aLog2 + 2048) >> 12))));
    }
    raw += ROW16;
    const dt0 = v128.load(DT);
    const dt1 = v128.load(DT, 16);
    for (let n: usize = 0; n < dState; n++) {
      const v = v128.load(b + n * ROW16);
      v128.store(dtB + n * ROW32, i32x4.shr_s(i32x4.add(i32x4.mul(dt0, i32x4.extend_low_i16x8_s(v)), i32x4.splat(8)), 4));
      v128.store(dtB + n * ROW32, i32x4.shr_s(i32x4.add(i32x4.mul(dt1, i32x4.extend_high_i16x8_s(v)), i32x4.splat(8)), 4), 16);
    }
    const a0 = v128.load(DECAY);
    const a1 = v128.load(DECAY, 16);
    const d = v128.load32_splat(image + word(record, L.SSM_D) + <usize>(h << 2));
    for (let p = 0; p < headDim; p++) {
      const x0 = v128.load_ext<i16>(u);
      const x1 = v128.load_ext<i16>(u, 8);
      let acc0 = i32x4.mul(d, x0);
      let acc1 = i32x4.mul(d, x1);
      let step = dtB;
      let cn = c;
      for (let n: usize = 0; n < dState; n++) {
        const old0 = v128.load(state);
        const kept0 = i32x4.add(i32x4.mul(a0, i32x4.shr_s(old0, 16)), i32x4.shr_u(i32x4.add(i32x4.mul(a0, v128.and(old0, low)), half), 16));
        const now0 = i32x4.add(kept0, i32x4.mul(v128.load(step), x0));
        v128.store(state, now0);
        acc0 = i32x4.add(acc0, i32x4.mul(v128.load_ext<i16>(cn), i32x4.shr_s(now0, scanShift)));
        const old1 = v128.load(state, 16);
        const kept1 = i32x4.add(i32x4.mul(a1, i32x4.shr_s(old1, 16)), i32x4.shr_u(i32x4.add(i32x4.mul(a1, v128.and(old1, low)), half), 16));
        const now1 = i32x4.add(kept1, i32x4.mul(v128.load(step, 16), x1));
        v128.store(state, now1, 16);
        acc1 = i32x4.add(acc1, i32x4.mul(v128.load_ext<i16>(cn, 8), i32x4.shr_s(now1, scanShift)));
        state += ROW32;
        step += ROW32;
        cn += ROW16;
      }
      if (isNeeded) {
        const y = requantize8(acc0, acc1, yMultiplier, yShift, s16Low, s16High);
        lookup8(table, v128.load(z), GATES);
        const gate = v128.load(GATES);
        const g0 = i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(y, gate), i32x4.splat(64)), 7);
        const g1 = i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(y, gate), i32x4.splat(64)), 7);
        v128.store(u, v128.shuffle<i16>(g0, g1, 0, 2, 4, 6, 8, 10, 12, 14)); // the low halves, as a store of s16 takes them
      }
      u += ROW16;
      z += ROW16;
    }
  }
}
