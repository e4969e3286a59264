import {
  ABI_HASH, ATTENTION_WINDOW, BLOCK_KIND, BLOCK_KIND_ATTENTION, CONFIG_BLOCKS, CONFIG_CLASSES, CONFIG_CONTEXT_PATCHES, CONFIG_EXITS, CONFIG_PATCH_FRAMES,
  CONFIG_RING_PATCHES, HEADER_CRC32, HOPS_SINCE_ASK_MAX, LIMIT_TRACK_COST, SNAPSHOT_HEADER_BYTES, SNAPSHOT_MAGIC, STATUS_BAD_SNAPSHOT, STATUS_OK,
  STATUS_SNAPSHOT_OF_OTHER_IMAGE, TAIL_CONTEXT_COUNT, TAIL_CONTEXT_HEAD, TAIL_FRAMES_IN_PATCH, TAIL_HAS_TICK, TAIL_HOPS_SINCE_ASK,
  TAIL_IS_TRACKED, TAIL_RING_HEAD, TAIL_RING_PENDING,
} from "./layout";
import { Context, blockRecord, blockState, word } from "./context";
import { crc32 } from "./crc32";

// The state as bytes: it survives sleep, reboot and update, and may move to another host. Same bytes from every engine.

export function snapshotBytes(ctx: Context): u32 {
  return SNAPSHOT_HEADER_BYTES + ctx.tailBytes;
}

/** Writes what stands before the tail in a snapshot, SNAPSHOT_HEADER_BYTES. */
export function writeSnapshotHeader(ctx: Context, to: usize): void {
  memory.fill(to, 0, SNAPSHOT_HEADER_BYTES);
  store<u32>(to, SNAPSHOT_MAGIC);
  store<u32>(to, <u32>ABI_HASH, 4);
  store<u32>(to, load<u32>(ctx.image, HEADER_CRC32), 8);
  store<u32>(to, ctx.tailBytes, 12);
  store<u32>(to, crc32(0, ctx.tail, ctx.tailBytes), 16);
}

/** Writes the snapshot to `to`, which has room for snapshotBytes. */
export function writeSnapshot(ctx: Context, to: usize): void {
  writeSnapshotHeader(ctx, to);
  memory.copy(to + SNAPSHOT_HEADER_BYTES, ctx.tail, ctx.tailBytes);
}

function below(record: usize, index: i32, end: i32): bool {
  return <u32>word(record, index) < <u32>end;
}

/** What decisions keep: nothing before the first, and then the best score is 0 and no other is below the dearest change. */
function isSoundTrack(ctx: Context, tail: usize): bool {
  const isTracked = word(tail, TAIL_IS_TRACKED);
  if (ctx.track == 0) return isTracked == 0;
  const scores = tail + (ctx.track - ctx.tail);
  let best = i32.MIN_VALUE;
  let least = i32.MAX_VALUE;
  for (let j = 0; j < word(ctx.config, CONFIG_CLASSES); j++) {
    best = max<i32>(best, word(scores, j));
    least = min<i32>(least, word(scores, j));
  }
  return <u32>isTracked < 2 && best == 0 && least >= (isTracked == 0 ? 0 : -LIMIT_TRACK_COST);
}

/** Checks the indices that a step trusts. `tail` is a candidate for ctx.tail. */
function isSound(ctx: Context, tail: usize): bool {
  const config = ctx.config;
  const size = word(config, CONFIG_RING_PATCHES);
  const context = word(config, CONFIG_CONTEXT_PATCHES);
  if (!below(tail, TAIL_FRAMES_IN_PATCH, word(config, CONFIG_PATCH_FRAMES)) || !below(tail, TAIL_HAS_TICK, 2)) return false;
  if (!below(tail, TAIL_HOPS_SINCE_ASK, HOPS_SINCE_ASK_MAX + 1)) return false;
  if (!below(tail, TAIL_CONTEXT_HEAD, context) || !below(tail, TAIL_CONTEXT_COUNT, context + 1)) return false;
  for (let k = 0; k < word(config, CONFIG_EXITS) - 1; k++) {
    if (!below(tail, TAIL_RING_HEAD + k, size) || !below(tail, TAIL_RING_PENDING + k, size + 2)) return false;
  }
  if (!isSoundTrack(ctx, tail)) return false;
  for (let b = 0; b < word(config, CONFIG_BLOCKS); b++) {
    const record = blockRecord(ctx, b);
    if (word(record, BLOCK_KIND) != BLOCK_KIND_ATTENTION) continue;
    if (!below(tail + (blockState(ctx, b) - ctx.tail), 0, 2 * word(record, ATTENTION_WINDOW))) return false;
  }
  return true;
}

/** Takes a snapshot back, or leaves the state alone and says why. */
export function readSnapshot(ctx: Context, from: usize, bytes: u32): i32 {
  if (bytes != snapshotBytes(ctx) || load<u32>(from) != SNAPSHOT_MAGIC || load<u32>(from, 4) != <u32>ABI_HASH) return STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 12) != ctx.tailBytes) return STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 20) != 0 || load<u64>(from, 24) != 0) return STATUS_BAD_SNAPSHOT;
  const tail = from + SNAPSHOT_HEADER_BYTES;
  if (load<u32>(from, 16) != crc32(0, tail, ctx.tailBytes)) return STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 8) != load<u32>(ctx.image, HEADER_CRC32)) return STATUS_SNAPSHOT_OF_OTHER_IMAGE;
  if (!isSound(ctx, tail)) return STATUS_BAD_SNAPSHOT;
  // Word by word: the snapshot may lie in flash, beyond memory's end, where only single loads reach.
  for (let i: u32 = 0; i < ctx.tailBytes; i += 4) store<u32>(ctx.tail + i, load<u32>(tail + i));
  return STATUS_OK;
}
