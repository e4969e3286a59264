import * as L from "../layout";
import { addLda, computeWindowLda } from "../heads/lda";
import { blockRecord, exitRecord } from "../image";
import { align16, word } from "../words";
import * as blocks from "./block-lanes";
import { Batch, CHUNK, LANES, ROW16, STATE, pointerOf } from "./lanes";
import { linearLanes } from "./linear-lanes";
import { normLanes } from "./norm-lanes";

// One run: every sequence from a reset state to its end. Block by block over a chunk of patches, since a block needs of the others
// only their residuals. What no logit depends on is left out: above the last block's state, all but the sequences' last patches.

/** residual (dModel, LANES) = embed · patch t of every sequence; finished lanes run on zeros, their output is ignored. */
function embed(batch: Batch, t: i32, residual: usize): void {
  const patchBytes = batch.channels * batch.patchFrames;
  const laneBytes = <usize>(batch.maxPatches * patchBytes);
  memory.fill(batch.x, 0, <usize>((patchBytes + 1) >> 1) << 5);
  for (let lane: usize = 0; lane < <usize>LANES; lane++) {
    if (t >= load<i32>(batch.lengths + (lane << 2))) continue;
    let from = batch.patches + lane * laneBytes + <usize>(t * patchBytes);
    let to = batch.x + (lane << 2);
    for (let i = 0; i < patchBytes; i += 2) {
      store<i16>(to, load<i8>(from));
      if (i + 1 < patchBytes) store<i16>(to, load<i8>(from, 1), 2);
      from += 2;
      to += 32;
    }
  }
  linearLanes(batch.image, batch.embedding, batch.wideEmbedding, batch.x, residual, 0, false);
}

/** Whether any sequence ends at patch t, or (`within` > 1) in the `within` patches from t on. */
function endsSoon(batch: Batch, t: i32, within: i32): bool {
  for (let lane: usize = 0; lane < <usize>LANES; lane++) {
    const left = load<i32>(batch.lengths + (lane << 2)) - t;
    if (left > 0 && left <= within) return true;
  }
  return false;
}

function step(batch: Batch, block: i32, residual: usize, isNeeded: bool): void {
  blocks.step(batch, block, blockRecord(batch, block), pointerOf(batch, block, STATE), residual, isNeeded);
}

/** Logits of the sequences that end at patch t, from the last residual plus the LDA head's of those with a whole window. */
function conclude(batch: Batch, t: i32, residual: usize): void {
  const exit = exitRecord(batch, batch.nExits - 1);
  const nClasses = batch.nClasses;
  normLanes(residual, batch.x, batch.dModel, word(exit, L.EXIT_EPSILON));
  linearLanes(batch.image, exit + (L.EXIT_HEAD << 2), batch.wideHead, batch.x, batch.row, 0, false);
  for (let lane: usize = 0; lane < <usize>LANES; lane++) {
    if (load<i32>(batch.lengths + (lane << 2)) != t + 1) continue;
    const to = batch.logits + lane * <usize>align16(nClasses << 1);
    for (let i: usize = 0; i < <usize>nClasses; i++) store<i16>(to + (i << 1), load<i16>(batch.row + i * ROW16 + (lane << 1)));
    const first = t + 1 - batch.windowPatches;
    if (batch.ldaSums == 0 || first < 0) continue;
    const patchBytes = batch.channels * batch.patchFrames;
    computeWindowLda(batch, batch.patches + lane * <usize>(batch.maxPatches * patchBytes), batch.maxPatches, first);
    addLda(batch, to);
  }
}

export function runBatch(batch: Batch): void {
  const last = batch.nBlocks - 1;
  const rowBytes = <usize>batch.dModel * ROW16;
  const reach = blocks.reach(blockRecord(batch, last));
  memory.fill(batch.states, 0, batch.stateBytes);
  let length = 0;
  for (let lane: usize = 0; lane < <usize>LANES; lane++) length = max<i32>(length, load<i32>(batch.lengths + (lane << 2)));
  for (let from = 0; from < length; from += CHUNK) {
    const count = min<i32>(CHUNK, length - from);
    for (let i = 0; i < count; i++) embed(batch, from + i, batch.residual + <usize>i * rowBytes);
    for (let b = 0; b < last; b++) {
      for (let i = 0; i < count; i++) step(batch, b, batch.residual + <usize>i * rowBytes, true);
    }
    for (let i = 0; i < count; i++) {
      const t = from + i;
      const isEnd = endsSoon(batch, t, 1);
      if (!isEnd && !endsSoon(batch, t, reach)) continue;
      const residual = batch.residual + <usize>i * rowBytes;
      step(batch, last, residual, isEnd);
      if (isEnd) conclude(batch, t, residual);
    }
  }
}
