import * as L from "./layout";
import * as blocks from "./blocks/block";
import { Context, blockState } from "./context";
import { crc32 } from "./crc32";
import { blockRecord } from "./image";
import { word } from "./words";

// The state as bytes: it survives sleep, reboot and update, and may move to another host. Same bytes from every engine.

export function snapshotBytes(ctx: Context): u32 {
  return L.SNAPSHOT_HEADER_BYTES + ctx.tailBytes;
}

/** Writes what stands before the tail in a snapshot, SNAPSHOT_HEADER_BYTES. */
export function writeSnapshotHeader(ctx: Context, to: usize): void {
  memory.fill(to, 0, L.SNAPSHOT_HEADER_BYTES);
  store<u32>(to, L.SNAPSHOT_MAGIC);
  store<u32>(to, <u32>L.SNAPSHOT_VERSION, 4);
  store<u32>(to, load<u32>(ctx.image, L.HEADER_CRC32), 8);
  store<u32>(to, ctx.tailBytes, 12);
  store<u32>(to, crc32(0, ctx.tail, ctx.tailBytes), 16);
}

/** Writes the snapshot to `to`, which has room for snapshotBytes. */
export function writeSnapshot(ctx: Context, to: usize): void {
  writeSnapshotHeader(ctx, to);
  memory.copy(to + L.SNAPSHOT_HEADER_BYTES, ctx.tail, ctx.tailBytes);
}

function below(record: usize, index: i32, end: i32): bool {
  return <u32>word(record, index) < <u32>end;
}

/** What decisions keep: nothing before the first, and then the best score is 0 and no other is below the dearest change. */
function isSoundSmoothing(ctx: Context, tail: usize): bool {
  const isSmoothed = word(tail, L.TAIL_IS_SMOOTHED);
  if (ctx.pathScores == 0) return isSmoothed == 0;
  const scores = tail + (ctx.pathScores - ctx.tail);
  let best = i32.MIN_VALUE;
  let least = i32.MAX_VALUE;
  for (let j = 0; j < ctx.nClasses; j++) {
    best = max<i32>(best, word(scores, j));
    least = min<i32>(least, word(scores, j));
  }
  return <u32>isSmoothed < 2 && best == 0 && least >= (isSmoothed == 0 ? 0 : -L.LIMIT_TRANSITION_COST);
}

/** Checks the indices that a step trusts. `tail` is a candidate for ctx.tail. */
function isSound(ctx: Context, tail: usize): bool {
  const size = ctx.ringPatches;
  const context = ctx.contextPatches;
  if (!below(tail, L.TAIL_FRAMES_IN_PATCH, ctx.patchFrames) || !below(tail, L.TAIL_HAS_TICK, 2)) return false;
  if (!below(tail, L.TAIL_HOPS_SINCE_ASK, L.HOPS_SINCE_ASK_MAX + 1)) return false;
  if (!below(tail, L.TAIL_CONTEXT_HEAD, context) || !below(tail, L.TAIL_CONTEXT_COUNT, context + 1)) return false;
  for (let k = 0; k < ctx.nExits - 1; k++) {
    if (!below(tail, L.TAIL_RING_HEAD + k, size) || !below(tail, L.TAIL_RING_PENDING + k, size + 2)) return false;
  }
  if (!isSoundSmoothing(ctx, tail)) return false;
  for (let b = 0; b < ctx.nBlocks; b++) {
    if (!blocks.isSoundState(blockRecord(ctx, b), tail + (blockState(ctx, b) - ctx.tail))) return false;
  }
  return true;
}

/** Restores a snapshot, or leaves the state unchanged and returns why. */
export function readSnapshot(ctx: Context, from: usize, bytes: u32): i32 {
  if (bytes != snapshotBytes(ctx) || load<u32>(from) != L.SNAPSHOT_MAGIC || load<u32>(from, 4) != <u32>L.SNAPSHOT_VERSION) return L.STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 12) != ctx.tailBytes) return L.STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 20) != 0 || load<u64>(from, 24) != 0) return L.STATUS_BAD_SNAPSHOT;
  const tail = from + L.SNAPSHOT_HEADER_BYTES;
  if (load<u32>(from, 16) != crc32(0, tail, ctx.tailBytes)) return L.STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 8) != load<u32>(ctx.image, L.HEADER_CRC32)) return L.STATUS_SNAPSHOT_OF_OTHER_IMAGE;
  if (!isSound(ctx, tail)) return L.STATUS_BAD_SNAPSHOT;
  // Word by word: the snapshot may lie in flash, beyond memory's end, where only single loads reach.
  for (let i: u32 = 0; i < ctx.tailBytes; i += 4) store<u32>(ctx.tail + i, load<u32>(tail + i));
  return L.STATUS_OK;
}
