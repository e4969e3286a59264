import {
  ATTENTION_D_MLP, ATTENTION_HEADS, ATTENTION_HEAD_DIM, ATTENTION_KV_HEADS, ATTENTION_WINDOW, BLOCK_KIND, BLOCK_KIND_SSM, CONFIG_CHANNELS,
  CONFIG_CLASSES, CONFIG_D_MODEL, CONFIG_EVIDENCE_MEANS, CONFIG_PATCH_FRAMES, CONFIG_WINDOW_PATCHES, EXIT_AFTER_BLOCK, FIXED_CROSS_LAGS,
  FIXED_LAGS, FIXED_SPREAD_STATISTICS, OPS_LOOKUP, OPS_MACS, OPS_NORM, OPS_REQUANTIZE, OPS_STATE, OPS_WEIGHT_BYTES, SSM_D_CONV, SSM_D_INNER,
  SSM_D_STATE, SSM_HEADS,
} from "./layout";
import { Context, blockRecord, exitRecord, word } from "./context";

// How much work a step is, by kind: what the energy model prices. Derived from shapes, so no counter runs in a kernel.

function embedOps(ctx: Context, kind: i32): u32 {
  const nIn = word(ctx.config, CONFIG_CHANNELS) * word(ctx.config, CONFIG_PATCH_FRAMES);
  const dModel = word(ctx.config, CONFIG_D_MODEL);
  if (kind == OPS_MACS || kind == OPS_WEIGHT_BYTES) return nIn * dModel;
  return kind == OPS_REQUANTIZE ? nIn + dModel : 0;
}

/** Signals of a window: its channels, and the magnitude of every whole triad. */
export function signalCount(channels: i32): i32 {
  return channels + channels / 3;
}

/** Numbers that evidence reads of a window. */
export function statisticsCount(channels: i32): i32 {
  return signalCount(channels) * (1 + 2 * FIXED_SPREAD_STATISTICS) + 3 * channels + crossCount(channels);
}

/** Pairs of channels, and lags between them: at lag 0 each pair once, and no channel with itself. */
function crossCount(channels: i32): i32 {
  return ((channels * (channels - 1)) >> 1) + (FIXED_CROSS_LAGS - 1) * channels * channels;
}

/** One block, one patch. */
export function blockOps(ctx: Context, block: i32, kind: i32): u32 {
  const record = blockRecord(ctx, block);
  const dModel = word(ctx.config, CONFIG_D_MODEL);
  if (word(record, BLOCK_KIND) == BLOCK_KIND_SSM) {
    const dInner = word(record, SSM_D_INNER);
    const dState = word(record, SSM_D_STATE);
    const nHeads = word(record, SSM_HEADS);
    const rows = 2 * dInner + 2 * dState + nHeads;
    const weights = dModel * rows + word(record, SSM_D_CONV) * dInner + dInner * dModel;
    if (kind == OPS_WEIGHT_BYTES) return weights;
    if (kind == OPS_MACS) return weights + 2 * dInner * dState;
    if (kind == OPS_REQUANTIZE) return rows + 2 * dInner + dModel;
    if (kind == OPS_STATE) return dInner * dState;
    if (kind == OPS_LOOKUP) return 2 * dInner + 2 * nHeads;
    return dModel + dInner;
  }
  const headDim = word(record, ATTENTION_HEAD_DIM);
  const nHeads = word(record, ATTENTION_HEADS);
  const heads = nHeads * headDim;
  const window = word(record, ATTENTION_WINDOW);
  const rows = heads + 2 * word(record, ATTENTION_KV_HEADS) * headDim;
  const dMlp = word(record, ATTENTION_D_MLP);
  const weights = dModel * rows + heads * dModel + dModel * 2 * dMlp + dMlp * dModel;
  if (kind == OPS_WEIGHT_BYTES) return weights;
  if (kind == OPS_MACS) return weights + 2 * heads * window;
  if (kind == OPS_REQUANTIZE) return rows + nHeads * window + heads + 2 * dModel + 3 * dMlp;
  if (kind == OPS_LOOKUP) return nHeads * window + dMlp;
  return kind == OPS_NORM ? 2 * dModel : 0;
}

/** One evaluation of an exit's head. */
export function exitOps(ctx: Context, kind: i32): u32 {
  const dModel = word(ctx.config, CONFIG_D_MODEL);
  const nClasses = word(ctx.config, CONFIG_CLASSES);
  if (kind == OPS_MACS || kind == OPS_WEIGHT_BYTES) return dModel * nClasses;
  if (kind == OPS_REQUANTIZE) return 2 * nClasses;
  if (kind == OPS_LOOKUP) return nClasses;
  return kind == OPS_NORM ? dModel : 0;
}

/**
 * One weighing of evidence. Multiply-accumulates: a pass for sums, one for power and lags over every signal and its changes, one a pair and lag,
 * and the weights. Reading, lengths and centring count as three values of a norm an element.
 */
export function evidenceOps(ctx: Context, kind: i32): u32 {
  if (word(ctx.config, CONFIG_EVIDENCE_MEANS) == 0) return 0;
  const channels = word(ctx.config, CONFIG_CHANNELS);
  const frames = word(ctx.config, CONFIG_WINDOW_PATCHES) * word(ctx.config, CONFIG_PATCH_FRAMES);
  const n = statisticsCount(channels);
  const weights = n * word(ctx.config, CONFIG_CLASSES);
  const signals = 2 * signalCount(channels) + channels;
  if (kind == OPS_WEIGHT_BYTES) return weights << 1;
  if (kind == OPS_MACS) return weights + ((FIXED_LAGS + 2) * signals + crossCount(channels)) * frames;
  if (kind == OPS_NORM) return 3 * signals * frames;
  return kind == OPS_REQUANTIZE ? n : 0;
}

/** A window from a reset state that stops at `exit`, the heads up to it included: 2³² − 1 where it is more. */
export function windowOps(ctx: Context, exit: i32, kind: i32): u32 {
  let patch: u64 = embedOps(ctx, kind);
  const last = word(exitRecord(ctx, exit), EXIT_AFTER_BLOCK);
  for (let b = 0; b <= last; b++) patch += blockOps(ctx, b, kind);
  const heads: u64 = (exit + 1) * exitOps(ctx, kind);
  const ops = patch * <u64>word(ctx.config, CONFIG_WINDOW_PATCHES) + heads + evidenceOps(ctx, kind);
  return <u32>min<u64>(ops, u32.MAX_VALUE);
}

/** Multiply-accumulates of the embedding of one patch. */
export function embedMacs(ctx: Context): u32 {
  return embedOps(ctx, OPS_MACS);
}
