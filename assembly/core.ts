// The reactor's exports: the whole surface of core.wasm. A model is known by its arena's address, so one module runs many.
// Zero imports, no heap. What each function means to a host is in assembly/README.md.
import * as L from "./layout";
import { Context } from "./context";
import { windowOps } from "./counts";
import { computeLda } from "./heads/lda";
import { checkAndUseLda, logitStride, neededBytes, prepareModel, resetState } from "./model";
import * as policy from "./policy";
import { runsWord } from "./runs";
import * as snapshots from "./snapshot";
import { catchUp, exitFeatures, exitLogits } from "./step";
import * as stream from "./stream";

/** Word 0 … RUNS_WORDS − 1 of what this core runs. */
export function runs(word: i32): u32 {
  return runsWord(word);
}

/** First free byte of memory, 16-aligned: the host puts images and arenas from here on. */
export function memoryBase(): usize {
  return (__heap_base + 15) & ~15;
}

export function prepare(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32): i32 {
  return prepareModel(image, imageBytes, arena, arenaBytes);
}

/** What the last prepare needed, also when it was refused for too little. */
export function arenaUsedBytes(): u32 {
  return neededBytes();
}

export function reset(model: usize): void {
  resetState(changetype<Context>(model));
}

export function framePtr(model: usize): usize {
  return changetype<Context>(model).frame;
}

export function patchPtr(model: usize): usize {
  return changetype<Context>(model).patch;
}

export function setPointPtr(model: usize): usize {
  return changetype<Context>(model).staged;
}

export function decisionPtr(model: usize): usize {
  return changetype<Context>(model).decision;
}

export function logitsPtr(model: usize, exit: i32): usize {
  const ctx = changetype<Context>(model);
  return ctx.logits + <usize>(exit * logitStride(ctx.nClasses));
}

/** Runs the segments up to `exit` to the present. (dModel,) s8 that its head reads, in scratch: copy it before the next call. */
export function exitFeaturesPtr(model: usize, exit: i32): usize {
  const ctx = changetype<Context>(model);
  for (let k = 1; k <= exit; k++) catchUp(ctx, k);
  return exitFeatures(ctx, exit);
}

export function contextPtr(model: usize): usize {
  return changetype<Context>(model).context;
}

export function tailPtr(model: usize): usize {
  return changetype<Context>(model).tail;
}

export function tailBytes(model: usize): u32 {
  return changetype<Context>(model).tailBytes;
}

export function pushFrame(model: usize, tick: u32): i32 {
  return stream.pushFrame(changetype<Context>(model), tick);
}

export function pushPatch(model: usize): i32 {
  return stream.pushPatch(changetype<Context>(model));
}

export function decide(model: usize): void {
  policy.decide(changetype<Context>(model));
}

/** Runs every segment up to the present and every head: logitsPtr(0 …). */
export function runAll(model: usize): void {
  const ctx = changetype<Context>(model);
  computeLda(ctx);
  for (let k = 0; k < ctx.nExits; k++) {
    if (k > 0) catchUp(ctx, k);
    exitLogits(ctx, k);
  }
}

/**
 * Points the model at another LDA record (LDA_WORDS s32, in memory that outlives the model; its offsets count from the image modulo 2^32),
 * or with 0 back at the image's own. Returns a STATUS_ code; a bad record leaves the one in force.
 */
export function useLda(model: usize, record: usize): i32 {
  return checkAndUseLda(changetype<Context>(model), record);
}

export function applySetPoint(model: usize): i32 {
  return policy.applySetPoint(changetype<Context>(model));
}

export function opCount(model: usize, exit: i32, kind: i32): u32 {
  return windowOps(changetype<Context>(model), exit, kind);
}

export function snapshotBytes(model: usize): u32 {
  return snapshots.snapshotBytes(changetype<Context>(model));
}

export function snapshot(model: usize, to: usize): void {
  snapshots.writeSnapshot(changetype<Context>(model), to);
}

export function restore(model: usize, from: usize, bytes: u32): i32 {
  return snapshots.readSnapshot(changetype<Context>(model), from, bytes);
}
