import * as L from "./layout";
import * as blocks from "./blocks/block";
import { Context } from "./context";
import { blockRecord, exitRecord } from "./image";
import { word } from "./words";

// How much work a step is, by kind: what the energy model prices. Derived from shapes, so no counter runs in a kernel.

function embedOps(ctx: Context, kind: i32): u32 {
  const nIn = ctx.channels * ctx.patchFrames;
  const dModel = ctx.dModel;
  if (kind == L.OPS_MACS || kind == L.OPS_WEIGHT_BYTES) return nIn * dModel;
  return kind == L.OPS_REQUANTIZE ? nIn + dModel : 0;
}

/** Signals of a window: its channels, and the magnitude of every whole triad. */
export function signalCount(channels: i32): i32 {
  return channels + channels / 3;
}

/** Values of a window that the LDA head reads. */
export function statisticsCount(channels: i32): i32 {
  return signalCount(channels) * (1 + 2 * L.FIXED_SPREAD_STATISTICS) + 3 * channels + crossCount(channels);
}

/** Pairs of channels, and lags between them: at lag 0 each pair once, and no channel with itself. */
function crossCount(channels: i32): i32 {
  return ((channels * (channels - 1)) >> 1) + (L.FIXED_CROSS_LAGS - 1) * channels * channels;
}

/** One block, one patch. */
export function blockOps(ctx: Context, block: i32, kind: i32): u32 {
  return blocks.ops(ctx, blockRecord(ctx, block), kind);
}

/** One evaluation of an exit's head. */
export function exitOps(ctx: Context, kind: i32): u32 {
  const dModel = ctx.dModel;
  const nClasses = ctx.nClasses;
  if (kind == L.OPS_MACS || kind == L.OPS_WEIGHT_BYTES) return dModel * nClasses;
  if (kind == L.OPS_REQUANTIZE) return 2 * nClasses;
  if (kind == L.OPS_LOOKUP) return nClasses;
  return kind == L.OPS_NORM ? dModel : 0;
}

/**
 * One run of the LDA head. Multiply-accumulates: a pass for sums, one for power and lags over every signal and its changes, one a pair and lag,
 * and the weights. Reading, lengths and centring count as three values of a norm an element.
 */
export function countLdaOps(ctx: Context, kind: i32): u32 {
  if (ctx.lda == 0) return 0;
  const channels = ctx.channels;
  const frames = ctx.windowPatches * ctx.patchFrames;
  const n = statisticsCount(channels);
  const weights = n * ctx.nClasses;
  const signals = 2 * signalCount(channels) + channels;
  if (kind == L.OPS_WEIGHT_BYTES) return weights << 1;
  if (kind == L.OPS_MACS) return weights + ((L.FIXED_LAGS + 2) * signals + crossCount(channels)) * frames;
  if (kind == L.OPS_NORM) return 3 * signals * frames;
  return kind == L.OPS_REQUANTIZE ? n : 0;
}

/** A window from a reset state that stops at `exit`, the heads up to it included: 2³² − 1 where it is more. */
export function windowOps(ctx: Context, exit: i32, kind: i32): u32 {
  let patch: u64 = embedOps(ctx, kind);
  const last = word(exitRecord(ctx, exit), L.EXIT_AFTER_BLOCK);
  for (let b = 0; b <= last; b++) patch += blockOps(ctx, b, kind);
  const heads: u64 = (exit + 1) * exitOps(ctx, kind);
  const ops = patch * <u64>ctx.windowPatches + heads + countLdaOps(ctx, kind);
  return <u32>min<u64>(ops, u32.MAX_VALUE);
}

/** Multiply-accumulates of the embedding of one patch. */
export function embedMacs(ctx: Context): u32 {
  return embedOps(ctx, L.OPS_MACS);
}
