import {
  CONFIG_CLASSES, CONFIG_EXITS, DECISION_CONFIDENCE, DECISION_EXIT, DECISION_LABEL, DECISION_MACS, DECISION_PATCH, DECISION_REBUILDS,
  DECISION_STEPS, DECISION_TICK, DECISION_WHY, EXIT_NEVER, EXIT_TEMPERATURE_MULTIPLIER, EXIT_THRESHOLD, EXIT_TRACKED_MULTIPLIER,
  HOPS_SINCE_ASK_MAX, LIMIT_EXITS, LIMIT_PATCHES, OPS_MACS, SETPOINT_ASK_ALLOWED, SETPOINT_ASK_INTERVAL_HOPS, SETPOINT_HOP_PATCHES,
  SETPOINT_LIMIT_REASON, SETPOINT_MAX_EXIT, SETPOINT_THRESHOLDS, SETPOINT_WORDS, STATUS_BAD_SET_POINT, STATUS_OK, TAIL_HOPS_SINCE_ASK,
  TAIL_IS_TRACKED, TAIL_LAST_TICK, TAIL_MACS, TAIL_PATCHES, TAIL_PATCHES_SINCE_DECISION, TAIL_STEPS, WHY_ASK, WHY_BUDGET, WHY_DEFERRED,
  WHY_EXIT, WHY_THERMAL,
} from "./layout";
import { Context, exitRecord, setWord, word } from "./context";
import { evidenceOps, exitOps } from "./counts";
import { hasEvidence, weighEvidence } from "./evidence";
import { softmaxQ15 } from "./kernels/softmax";
import { catchUp, exitLogits } from "./step";
import { copyLogits, keepTrack, scoreLabels } from "./track";

// Exit, ask or defer: the one policy, from integer thresholds. The host computes set-points; it never decides.

/** Takes the staged set-point over if it is valid; else keeps the one in force. */
export function applySetPoint(ctx: Context): i32 {
  const s = ctx.staged;
  const maxExit = word(s, SETPOINT_MAX_EXIT);
  const hop = word(s, SETPOINT_HOP_PATCHES);
  const interval = word(s, SETPOINT_ASK_INTERVAL_HOPS);
  const reason = word(s, SETPOINT_LIMIT_REASON);
  if (maxExit < 0 || maxExit >= word(ctx.config, CONFIG_EXITS)) return STATUS_BAD_SET_POINT;
  if (hop < 1 || hop > LIMIT_PATCHES || interval < 1 || interval > HOPS_SINCE_ASK_MAX) return STATUS_BAD_SET_POINT;
  if (<u32>word(s, SETPOINT_ASK_ALLOWED) > 1) return STATUS_BAD_SET_POINT;
  if (reason != 0 && reason != WHY_BUDGET && reason != WHY_THERMAL) return STATUS_BAD_SET_POINT;
  for (let k = 0; k < LIMIT_EXITS; k++) {
    if (<u32>word(s, SETPOINT_THRESHOLDS + k) > <u32>EXIT_NEVER) return STATUS_BAD_SET_POINT;
  }
  memory.copy(ctx.active, s, SETPOINT_WORDS << 2);
  return STATUS_OK;
}

/** Index of the first largest of n scores s32. */
function argmax(scores: usize, n: i32): i32 {
  let best = 0;
  for (let i = 1; i < n; i++) {
    if (load<i32>(scores + <usize>(i << 2)) > load<i32>(scores + <usize>(best << 2))) best = i;
  }
  return best;
}

/** Q15 probability of a label by the scores in ctx.acc, at the temperature at word `scale` of a record. Overwrites the scores. */
function probability(ctx: Context, label: i32, record: usize, scale: i32): i32 {
  softmaxQ15(ctx.tables, ctx.acc, word(ctx.config, CONFIG_CLASSES), word(record, scale), word(record, scale + 1));
  return load<i32>(ctx.acc + <usize>(label << 2));
}

/**
 * Q15 probability that the label is right, from the scores in ctx.acc at exit k's temperature: a tracked decision has its own.
 * Overwrites the scores. Source: arXiv:1706.04599 §4.2.
 */
function confidence(ctx: Context, k: i32, label: i32): i32 {
  const scale = word(ctx.tail, TAIL_IS_TRACKED) != 0 ? EXIT_TRACKED_MULTIPLIER : EXIT_TEMPERATURE_MULTIPLIER;
  return probability(ctx, label, exitRecord(ctx, k), scale);
}

/**
 * What a threshold is compared with: the confidence, or the label's probability by these logits alone where that is less. Hours of one
 * posture are no new evidence: a track may take certainty away, and never adds any. Uses ctx.acc.
 */
function certainty(ctx: Context, k: i32, logits: usize, label: i32, sure: i32): i32 {
  if (word(ctx.tail, TAIL_IS_TRACKED) == 0) return sure;
  copyLogits(ctx, logits);
  return min<i32>(sure, probability(ctx, label, exitRecord(ctx, k), EXIT_TEMPERATURE_MULTIPLIER));
}

/** Decides now: the first exit that is sure enough, else ask or defer. */
export function decide(ctx: Context): void {
  const set = ctx.active;
  const tail = ctx.tail;
  const maxExit = word(set, SETPOINT_MAX_EXIT);
  const nClasses = word(ctx.config, CONFIG_CLASSES);
  let why = -1;
  let exit = 0;
  let label = 0;
  let sure = 0;
  let rebuilds = 0;
  let logits: usize = 0;
  weighEvidence(ctx);
  if (hasEvidence(ctx)) setWord(tail, TAIL_MACS, word(tail, TAIL_MACS) + evidenceOps(ctx, OPS_MACS));
  for (; exit <= maxExit; exit++) {
    if (exit > 0) rebuilds += catchUp(ctx, exit);
    logits = exitLogits(ctx, exit);
    setWord(tail, TAIL_MACS, word(tail, TAIL_MACS) + exitOps(ctx, OPS_MACS));
    scoreLabels(ctx, logits);
    label = argmax(ctx.acc, nClasses);
    sure = confidence(ctx, exit, label);
    const threshold = max<i32>(word(set, SETPOINT_THRESHOLDS + exit), word(exitRecord(ctx, exit), EXIT_THRESHOLD));
    if (certainty(ctx, exit, logits, label, sure) >= threshold) {
      why = WHY_EXIT;
      break;
    }
  }
  keepTrack(ctx, logits);
  const hops = min<i32>(word(tail, TAIL_HOPS_SINCE_ASK) + 1, HOPS_SINCE_ASK_MAX);
  if (why < 0) {
    exit = maxExit;
    if (word(set, SETPOINT_ASK_ALLOWED) == 1 && hops >= word(set, SETPOINT_ASK_INTERVAL_HOPS)) why = WHY_ASK;
    else if (word(set, SETPOINT_LIMIT_REASON) != 0 && maxExit < word(ctx.config, CONFIG_EXITS) - 1) why = word(set, SETPOINT_LIMIT_REASON);
    else why = WHY_DEFERRED;
  }
  setWord(tail, TAIL_HOPS_SINCE_ASK, why == WHY_ASK ? 0 : hops);

  const d = ctx.decision;
  setWord(d, DECISION_LABEL, label);
  setWord(d, DECISION_EXIT, exit);
  setWord(d, DECISION_CONFIDENCE, sure);
  setWord(d, DECISION_WHY, why);
  setWord(d, DECISION_TICK, word(tail, TAIL_LAST_TICK));
  setWord(d, DECISION_PATCH, word(tail, TAIL_PATCHES));
  setWord(d, DECISION_MACS, word(tail, TAIL_MACS));
  setWord(d, DECISION_REBUILDS, rebuilds);
  setWord(d, DECISION_STEPS, word(tail, TAIL_STEPS));
  setWord(tail, TAIL_MACS, 0);
  setWord(tail, TAIL_STEPS, 0);
  setWord(tail, TAIL_PATCHES_SINCE_DECISION, 0);
}

/** True when the hop is over. */
export function isDue(ctx: Context): bool {
  return <u32>word(ctx.tail, TAIL_PATCHES_SINCE_DECISION) >= <u32>word(ctx.active, SETPOINT_HOP_PATCHES);
}
