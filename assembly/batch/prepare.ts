import * as L from "../layout";
import { blockRecord, exitRecord } from "../image";
import { checkImage } from "../validate";
import { align16, word } from "../words";
import * as blocks from "./block-lanes";
import * as N from "./lanes";
import { Batch, CHUNK, LANES, ROW16, ROW32, STATE, WIDE, batchBytes, setPointerOf } from "./lanes";
import { widenWeights, wideBytes } from "./linear-lanes";

let needed: u32 = 0;
let cursor: u32 = 0;

/** Bytes that the last prepare needed, whether it was given them or not. */
export function neededBytes(): u32 {
  return needed;
}

function take(bytes: u32): u32 {
  const at = cursor;
  cursor += align16(bytes);
  return at;
}

// What a first pass reads and counts (isReal false: blocks' pointers go nowhere); a second one, once it fits, writes.
const STAGING = memory.data(<i32>offsetof<Batch>(), 16);

function weights(batch: Batch, base: usize, record: usize, isReal: bool): usize {
  const wide = base + take(wideBytes(record));
  if (isReal) widenWeights(batch.image, record, wide);
  return wide;
}

/** Rows of the widest use of a scratch buffer over the blocks; `least` is the use outside of them. */
function widest(batch: Batch, buffer: i32, least: i32): i32 {
  let most = least;
  for (let b = 0; b < batch.nBlocks; b++) most = max<i32>(most, blocks.scratch(blockRecord(batch, b), buffer));
  return most;
}

function layOut(batch: Batch, base: usize, maxPatches: i32, isReal: bool): void {
  const nBlocks = batch.nBlocks;
  const dModel = batch.dModel;
  const nClasses = batch.nClasses;
  const patchBytes = batch.channels * batch.patchFrames;
  batch.maxPatches = maxPatches;
  cursor = align16(batchBytes(nBlocks));
  batch.lengths = base + take(LANES << 2);
  batch.patches = base + take(LANES * maxPatches * patchBytes);
  batch.logits = base + take(LANES * align16(nClasses << 1));
  batch.wideEmbedding = weights(batch, base, batch.embedding, isReal);
  batch.wideHead = weights(batch, base, exitRecord(batch, batch.nExits - 1) + (L.EXIT_HEAD << 2), isReal);
  for (let b = 0; b < nBlocks; b++) {
    const record = blockRecord(batch, b);
    for (let k = 0; k < N.BLOCK_LINEARS; k++) {
      const linear = blocks.linearOf(record, k);
      if (linear == 0) break;
      const wide = weights(batch, base, linear, isReal);
      if (isReal) setPointerOf(batch, b, WIDE + k, wide);
    }
  }
  batch.residual = base + take(CHUNK * dModel * <u32>ROW16);
  batch.present = base + take(dModel * <u32>ROW16);
  batch.x = base + take((widest(batch, N.LANES_X, max<i32>(dModel, patchBytes)) + 1) * <u32>ROW16);
  batch.projection = base + take(widest(batch, N.LANES_PROJECTION, 0) * <u32>ROW16);
  batch.inner = base + take(widest(batch, N.LANES_INNER, 0) * <u32>ROW16);
  batch.small = base + take(widest(batch, N.LANES_SMALL, 0) * <u32>ROW32);
  batch.row = base + take(nClasses * <u32>ROW16);
  const frames = batch.lda == 0 ? 0 : batch.windowPatches * batch.patchFrames;
  batch.ldaSums = frames == 0 ? 0 : base + take(nClasses << 3);
  batch.linear = base + take((batch.channels * frames) << 1);
  batch.sizes = base + take(frames == 0 ? 0 : batch.channels << 3);
  batch.acc = base + take(frames << 2);
  const first = cursor;
  batch.states = base + first;
  for (let b = 0; b < nBlocks; b++) {
    const state = base + take(blocks.stateBytes(blockRecord(batch, b)));
    if (isReal) setPointerOf(batch, b, STATE, state);
  }
  batch.stateBytes = cursor - first;
  batch.arenaBytes = cursor;
}

/** Validates the image and lays out the arena for LANES sequences of at most `maxPatches` patches. Returns a STATUS_ code. */
export function prepareBatch(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32, maxPatches: i32): i32 {
  needed = 0;
  const staging = changetype<Batch>(STAGING);
  const status = checkImage(staging, image, imageBytes);
  if (status != L.STATUS_OK) return status;
  for (let b = 0; b < staging.nBlocks; b++) {
    if (((blocks.LANE_KINDS >> word(blockRecord(staging, b), L.BLOCK_KIND)) & 1) == 0) return L.STATUS_UNKNOWN_BLOCK_KIND;
  }
  if (maxPatches < 1 || maxPatches > L.LIMIT_PATCHES) return L.STATUS_BAD_SIZE;
  if (arena & 15) return L.STATUS_ARENA_MISALIGNED;
  layOut(staging, arena, maxPatches, false);
  needed = cursor;
  if (needed > arenaBytes) return L.STATUS_ARENA_TOO_SMALL;
  if (<u32>(arena - image) < imageBytes || <u32>(image - arena) < needed) return L.STATUS_ARENA_OVERLAPS_IMAGE;
  memory.fill(arena, 0, needed);
  memory.copy(arena, STAGING, offsetof<Batch>());
  layOut(changetype<Batch>(arena), arena, maxPatches, true);
  return L.STATUS_OK;
}
