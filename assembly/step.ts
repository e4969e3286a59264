import * as L from "./layout";
import * as blocks from "./blocks/block";
import { Context, blockState, ring } from "./context";
import { blockOps, embedMacs } from "./counts";
import { addLda } from "./heads/lda";
import { linear, rowsToS16 } from "./blocks/linear";
import { blockRecord, exitRecord } from "./image";
import { logitStride } from "./model";
import { rmsNorm } from "./kernels/rms-norm";
import { setWord, word } from "./words";

// One step of the model. ctx.residual is shared by all blocks; what persists is in the tail: context, rings, block states.

/** Runs the blocks of segment `s` on ctx.residual. */
function runSegment(ctx: Context, s: i32): void {
  const first = s == 0 ? 0 : word(exitRecord(ctx, s - 1), L.EXIT_AFTER_BLOCK) + 1;
  const last = word(exitRecord(ctx, s), L.EXIT_AFTER_BLOCK);
  let macs = word(ctx.tail, L.TAIL_MACS);
  for (let b = first; b <= last; b++) {
    const record = blockRecord(ctx, b);
    blocks.step(ctx, record, blockState(ctx, b));
    macs += blockOps(ctx, b, L.OPS_MACS);
  }
  setWord(ctx.tail, L.TAIL_MACS, macs);
  setWord(ctx.tail, L.TAIL_STEPS, word(ctx.tail, L.TAIL_STEPS) + last - first + 1);
}

/** Keeps the residual after segment `s`: in its ring for the segments above, or as the final one. */
function keepResidual(ctx: Context, s: i32): void {
  const bytes = <usize>(ctx.dModel << 1);
  if (s == ctx.nExits - 1) {
    memory.copy(ctx.finalResidual, ctx.residual, bytes);
    return;
  }
  const size = ctx.ringPatches;
  const head = word(ctx.tail, L.TAIL_RING_HEAD + s);
  memory.copy(ring(ctx, s) + <usize>head * bytes, ctx.residual, bytes);
  setWord(ctx.tail, L.TAIL_RING_HEAD + s, head + 1 == size ? 0 : head + 1);
  setWord(ctx.tail, L.TAIL_RING_PENDING + s, min<i32>(word(ctx.tail, L.TAIL_RING_PENDING + s) + 1, size + 1));
}

/** Appends a patch to the context, embeds it and runs segment 0. `patch` (patchFrames · channels) s8. */
export function stepPatch(ctx: Context, patch: usize): void {
  const bytes = <usize>(ctx.channels * ctx.patchFrames);
  const head = word(ctx.tail, L.TAIL_CONTEXT_HEAD);
  const size = ctx.contextPatches;
  memory.copy(ctx.context + <usize>head * bytes, patch, bytes);
  setWord(ctx.tail, L.TAIL_CONTEXT_HEAD, head + 1 == size ? 0 : head + 1);
  setWord(ctx.tail, L.TAIL_CONTEXT_COUNT, min<i32>(word(ctx.tail, L.TAIL_CONTEXT_COUNT) + 1, size));

  // residual = embed · patch
  const embed = ctx.embedding;
  linear(ctx.image, embed, patch, ctx.acc);
  rowsToS16(ctx.image, embed, ctx.acc, ctx.residual, 0, ctx.dModel);
  setWord(ctx.tail, L.TAIL_MACS, word(ctx.tail, L.TAIL_MACS) + embedMacs(ctx));
  runSegment(ctx, 0);
  keepResidual(ctx, 0);
  setWord(ctx.tail, L.TAIL_PATCHES, word(ctx.tail, L.TAIL_PATCHES) + 1);
  setWord(ctx.tail, L.TAIL_PATCHES_SINCE_DECISION, word(ctx.tail, L.TAIL_PATCHES_SINCE_DECISION) + 1);
}

/** Forgets what segments ≥ s know. */
function resetSegments(ctx: Context, s: i32): void {
  const last = ctx.nExits - 1;
  const firstBlock = word(exitRecord(ctx, s - 1), L.EXIT_AFTER_BLOCK) + 1;
  const lastBlock = word(exitRecord(ctx, last), L.EXIT_AFTER_BLOCK);
  for (let b = firstBlock; b <= lastBlock; b++) memory.fill(blockState(ctx, b), 0, blocks.stateBytes(blockRecord(ctx, b)));
  for (let k = s; k < last; k++) setWord(ctx.tail, L.TAIL_RING_PENDING + k, 0);
}

/** Brings segment s ≥ 1 up to the present. Returns 1 if its ring had overflowed and it was rebuilt, else 0. */
export function catchUp(ctx: Context, s: i32): i32 {
  const size = ctx.ringPatches;
  const bytes = <usize>(ctx.dModel << 1);
  const below = s - 1;
  let pending = word(ctx.tail, L.TAIL_RING_PENDING + below);
  let rebuilt = 0;
  if (pending > size) {
    resetSegments(ctx, s);
    pending = size;
    rebuilt = 1;
  }
  let slot = word(ctx.tail, L.TAIL_RING_HEAD + below) - pending;
  if (slot < 0) slot += size;
  for (let i = 0; i < pending; i++) {
    memory.copy(ctx.residual, ring(ctx, below) + <usize>slot * bytes, bytes);
    runSegment(ctx, s);
    keepResidual(ctx, s);
    slot = slot + 1 == size ? 0 : slot + 1;
  }
  setWord(ctx.tail, L.TAIL_RING_PENDING + below, 0);
  return rebuilt;
}

/** What the head of exit k reads: rmsNorm of its latest residual, (dModel,) s8. Its segment is caught up. Returns where it is: scratch. */
export function exitFeatures(ctx: Context, k: i32): usize {
  const dModel = ctx.dModel;
  let residual = ctx.finalResidual;
  if (k < ctx.nExits - 1) {
    const head = word(ctx.tail, L.TAIL_RING_HEAD + k);
    const slot = (head == 0 ? ctx.ringPatches : head) - 1;
    residual = ring(ctx, k) + <usize>(slot * (dModel << 1));
  }
  rmsNorm(residual, ctx.norm, dModel, word(exitRecord(ctx, k), L.EXIT_EPSILON));
  return ctx.norm;
}

/** logits of exit k, from the latest residual after its block plus the LDA head's. Its segment is caught up. Returns where they are. */
export function exitLogits(ctx: Context, k: i32): usize {
  const head = exitRecord(ctx, k) + (L.EXIT_HEAD << 2);
  const nClasses = ctx.nClasses;
  const y = ctx.logits + <usize>(k * logitStride(nClasses));
  linear(ctx.image, head, exitFeatures(ctx, k), ctx.acc);
  rowsToS16(ctx.image, head, ctx.acc, y, 0, nClasses);
  addLda(ctx, y);
  return y;
}
