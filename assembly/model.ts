import * as L from "./layout";
import * as blocks from "./blocks/block";
import * as S from "./blocks/scratch";
import { Context, contextBytes, setBlockState, setRing } from "./context";
import { blockRecord } from "./image";
import { align16, setWord } from "./words";
import { checkImage, checkLda } from "./validate";

/** Bytes that the last prepare needed, whether it was given them or not. */
let needed: u32 = 0;

export function neededBytes(): u32 {
  return needed;
}

// The arena is laid out by counting.
let cursor: u32 = 0;

function take(bytes: u32): u32 {
  const at = cursor;
  cursor += align16(bytes);
  return at;
}

/** What `prepare` reads of an image before the size of the arena is checked; copied to the arena if it is. */
const STAGING = memory.data(<i32>offsetof<Context>(), 16);

/** The widest use of a scratch buffer over the blocks; `least` is the use outside of them. */
function widest(ctx: Context, buffer: i32, least: i32): i32 {
  let most = least;
  for (let b = 0; b < ctx.nBlocks; b++) most = max<i32>(most, blocks.scratch(blockRecord(ctx, b), buffer));
  return most;
}

/**
 * Lays the arena of a checked model out at `base`: finds every pointer of `ctx`, leaves the bytes it takes in `cursor`. The pointers behind
 * `ctx` are written if `isReal`; a first pass alone counts.
 */
function layOut(ctx: Context, base: usize, isReal: bool): void {
  const dModel = ctx.dModel;
  const channels = ctx.channels;
  const nClasses = ctx.nClasses;
  const patchBytes = channels * ctx.patchFrames;
  const frames = ctx.windowPatches * ctx.patchFrames;
  const hasLda = ctx.lda != 0;

  cursor = align16(contextBytes(ctx));
  ctx.frame = base + take(channels << 1);
  ctx.patch = base + take(patchBytes);
  ctx.staged = base + take(L.SETPOINT_WORDS << 2);
  ctx.active = base + take(L.SETPOINT_WORDS << 2);
  ctx.decision = base + take(L.DECISION_WORDS << 2);
  ctx.logits = base + take(ctx.nExits * logitStride(nClasses));
  ctx.residual = base + take(dModel << 1);
  ctx.norm = base + take(widest(ctx, S.SCRATCH_NORM, dModel));
  ctx.acc = base + take(widest(ctx, S.SCRATCH_ACC, max<i32>(max<i32>(dModel, nClasses), hasLda ? frames : 0)) << 2);
  ctx.projection = base + take(widest(ctx, S.SCRATCH_PROJECTION, 0));
  ctx.inner = base + take(widest(ctx, S.SCRATCH_INNER, 0));
  ctx.small = base + take(widest(ctx, S.SCRATCH_SMALL, 0));
  ctx.ldaSums = hasLda ? base + take(nClasses << 3) : 0;
  ctx.linear = hasLda ? base + take((channels * frames) << 1) : 0;
  ctx.sizes = hasLda ? base + take(channels << 3) : 0;

  const tailStart = cursor;
  ctx.tail = base + take(L.TAIL_WORDS << 2);
  ctx.partial = base + take(patchBytes);
  ctx.lastFrame = base + take(channels << 1);
  ctx.context = base + take(ctx.contextPatches * patchBytes);
  ctx.finalResidual = base + take(dModel << 1);
  ctx.pathScores = ctx.smoothing == 0 ? 0 : base + take(nClasses << 2);
  for (let k = 0; k < ctx.nExits - 1; k++) {
    const at = base + take(ctx.ringPatches * (dModel << 1));
    if (isReal) setRing(ctx, k, at);
  }
  for (let b = 0; b < ctx.nBlocks; b++) {
    const at = base + take(blocks.stateBytes(blockRecord(ctx, b)));
    if (isReal) setBlockState(ctx, b, at);
  }
  ctx.monitor = ctx.plausibility == 0 ? 0 : base + take(L.MONITOR_WORDS << 2);
  ctx.tailBytes = cursor - tailStart;
  ctx.arenaBytes = cursor;
}

/** Bytes between two exits' logits (s16). */
export function logitStride(nClasses: i32): i32 {
  return <i32>align16(nClasses << 1);
}

/** Every exit, the image's hop, asking allowed, certified thresholds only. */
function defaultSetPoint(ctx: Context): void {
  memory.fill(ctx.staged, 0, L.SETPOINT_WORDS << 2);
  setWord(ctx.staged, L.SETPOINT_MAX_EXIT, ctx.nExits - 1);
  setWord(ctx.staged, L.SETPOINT_HOP_PATCHES, ctx.hopPatches);
  setWord(ctx.staged, L.SETPOINT_ASK_ALLOWED, 1);
  setWord(ctx.staged, L.SETPOINT_ASK_INTERVAL_HOPS, 1);
  memory.copy(ctx.active, ctx.staged, L.SETPOINT_WORDS << 2);
}

/** Zeroes the state: as after power-on, but for the set-point. */
export function resetState(ctx: Context): void {
  resetStream(ctx);
  if (ctx.monitor != 0) memory.fill(ctx.monitor, 0, L.MONITOR_WORDS << 2);
}

/** Zeroes what the model knows of the stream. The plausibility monitor stays: after a gap the sensor is the same. */
export function resetStream(ctx: Context): void {
  memory.fill(ctx.tail, 0, ctx.tailBytes - (ctx.monitor == 0 ? 0 : L.MONITOR_WORDS << 2));
  setWord(ctx.tail, L.TAIL_HOPS_SINCE_ASK, L.HOPS_SINCE_ASK_MAX);
}

/** Validates the image and lays out the arena; nothing is allocated, nothing fails after it. Returns a STATUS_ code. */
export function prepareModel(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32): i32 {
  needed = 0;
  const staging = changetype<Context>(STAGING);
  const status = checkImage(staging, image, imageBytes);
  if (status != L.STATUS_OK) return status;
  if (arena & 15) return L.STATUS_ARENA_MISALIGNED;
  staging.ownLda = staging.lda;
  layOut(staging, arena, false);
  needed = cursor;
  if (needed > arenaBytes) return L.STATUS_ARENA_TOO_SMALL;
  // Distances modulo 2^32: flash that is mapped below the memory's base is an address near its top.
  if (<u32>(arena - image) < imageBytes || <u32>(image - arena) < needed) return L.STATUS_ARENA_OVERLAPS_IMAGE;
  memory.fill(arena, 0, needed);
  memory.copy(arena, STAGING, offsetof<Context>());
  const ctx = changetype<Context>(arena);
  layOut(ctx, arena, true);
  defaultSetPoint(ctx);
  resetState(ctx);
  return L.STATUS_OK;
}

/** Has another LDA record take effect, or (0) the image's own again. Returns a STATUS_ code; a bad record changes nothing. */
export function checkAndUseLda(ctx: Context, record: usize): i32 {
  if (ctx.ownLda == 0 || (record != 0 && checkLda(ctx, record, false) != L.STATUS_OK)) return L.STATUS_BAD_LDA;
  ctx.lda = record == 0 ? ctx.ownLda : record;
  return L.STATUS_OK;
}
