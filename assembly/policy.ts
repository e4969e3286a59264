import * as L from "./layout";
import { Context } from "./context";
import { countLdaOps, exitOps } from "./counts";
import { hasLdaLogits, computeLda } from "./heads/lda";
import { exitRecord } from "./image";
import { readFaults } from "./plausibility";
import { softmaxQ15 } from "./kernels/softmax";
import { catchUp, exitLogits } from "./step";
import { copyLogits, keepPathScores, scoreLabels } from "./heads/smoothing";
import { setWord, word } from "./words";

// Exit, ask or defer: the one policy, from integer thresholds. The host computes set-points; it never decides.

/** Takes the staged set-point over if it is valid; else keeps the one in force. */
export function applySetPoint(ctx: Context): i32 {
  const s = ctx.staged;
  const maxExit = word(s, L.SETPOINT_MAX_EXIT);
  const hop = word(s, L.SETPOINT_HOP_PATCHES);
  const interval = word(s, L.SETPOINT_ASK_INTERVAL_HOPS);
  const reason = word(s, L.SETPOINT_LIMIT_REASON);
  if (maxExit < 0 || maxExit >= ctx.nExits) return L.STATUS_BAD_SET_POINT;
  if (hop < 1 || hop > L.LIMIT_PATCHES || interval < 1 || interval > L.HOPS_SINCE_ASK_MAX) return L.STATUS_BAD_SET_POINT;
  if (<u32>word(s, L.SETPOINT_ASK_ALLOWED) > 1) return L.STATUS_BAD_SET_POINT;
  if (reason != 0 && reason != L.WHY_BUDGET && reason != L.WHY_THERMAL) return L.STATUS_BAD_SET_POINT;
  for (let k = 0; k < L.LIMIT_EXITS; k++) {
    if (<u32>word(s, L.SETPOINT_THRESHOLDS + k) > <u32>L.EXIT_NEVER) return L.STATUS_BAD_SET_POINT;
  }
  memory.copy(ctx.active, s, L.SETPOINT_WORDS << 2);
  return L.STATUS_OK;
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
  softmaxQ15(ctx.tables, ctx.acc, ctx.nClasses, word(record, scale), word(record, scale + 1));
  return load<i32>(ctx.acc + <usize>(label << 2));
}

/**
 * Q15 probability that the label is right, from the scores in ctx.acc at exit k's temperature: a smoothed decision has its own.
 * Overwrites the scores. Source: arXiv:1706.04599 §4.2.
 */
function confidence(ctx: Context, k: i32, label: i32): i32 {
  const scale = word(ctx.tail, L.TAIL_IS_SMOOTHED) != 0 ? L.EXIT_SMOOTHED_MULTIPLIER : L.EXIT_TEMPERATURE_MULTIPLIER;
  return probability(ctx, label, exitRecord(ctx, k), scale);
}

/**
 * Gate probability, compared with the threshold: the confidence, or the label's probability by these logits alone if that is less.
 * Smoothing may lower it but never raise it; repetition is not independent evidence. Uses ctx.acc.
 */
function gateProbability(ctx: Context, k: i32, logits: usize, label: i32, sure: i32): i32 {
  if (word(ctx.tail, L.TAIL_IS_SMOOTHED) == 0) return sure;
  copyLogits(ctx, logits);
  return min<i32>(sure, probability(ctx, label, exitRecord(ctx, k), L.EXIT_TEMPERATURE_MULTIPLIER));
}

/** Decides now: the first exit that is sure enough, else ask or defer. */
export function decide(ctx: Context): void {
  const set = ctx.active;
  const tail = ctx.tail;
  const maxExit = word(set, L.SETPOINT_MAX_EXIT);
  const nClasses = ctx.nClasses;
  let why = -1;
  let exit = 0;
  let label = 0;
  let sure = 0;
  let rebuilds = 0;
  let logits: usize = 0;
  const faults = readFaults(ctx); // no answer is certified from a sensor that cannot be right, and none is worth an ask
  computeLda(ctx);
  if (hasLdaLogits(ctx)) setWord(tail, L.TAIL_MACS, word(tail, L.TAIL_MACS) + countLdaOps(ctx, L.OPS_MACS));
  for (; exit <= maxExit; exit++) {
    if (exit > 0) rebuilds += catchUp(ctx, exit);
    logits = exitLogits(ctx, exit);
    setWord(tail, L.TAIL_MACS, word(tail, L.TAIL_MACS) + exitOps(ctx, L.OPS_MACS));
    scoreLabels(ctx, logits);
    label = argmax(ctx.acc, nClasses);
    sure = confidence(ctx, exit, label);
    const threshold = max<i32>(word(set, L.SETPOINT_THRESHOLDS + exit), word(exitRecord(ctx, exit), L.EXIT_THRESHOLD));
    if (faults == 0 && gateProbability(ctx, exit, logits, label, sure) >= threshold) {
      why = L.WHY_EXIT;
      break;
    }
  }
  keepPathScores(ctx, logits);
  const hops = min<i32>(word(tail, L.TAIL_HOPS_SINCE_ASK) + 1, L.HOPS_SINCE_ASK_MAX);
  if (why < 0) {
    exit = maxExit;
    if (faults == 0 && word(set, L.SETPOINT_ASK_ALLOWED) == 1 && hops >= word(set, L.SETPOINT_ASK_INTERVAL_HOPS)) why = L.WHY_ASK;
    else if (word(set, L.SETPOINT_LIMIT_REASON) != 0 && maxExit < ctx.nExits - 1) why = word(set, L.SETPOINT_LIMIT_REASON);
    else why = L.WHY_DEFERRED;
  }
  setWord(tail, L.TAIL_HOPS_SINCE_ASK, why == L.WHY_ASK ? 0 : hops);

  const d = ctx.decision;
  setWord(d, L.DECISION_LABEL, label);
  setWord(d, L.DECISION_EXIT, exit);
  setWord(d, L.DECISION_CONFIDENCE, sure);
  setWord(d, L.DECISION_WHY, why);
  setWord(d, L.DECISION_TICK, word(tail, L.TAIL_LAST_TICK));
  setWord(d, L.DECISION_PATCH, word(tail, L.TAIL_PATCHES));
  setWord(d, L.DECISION_MACS, word(tail, L.TAIL_MACS));
  setWord(d, L.DECISION_REBUILDS, rebuilds);
  setWord(d, L.DECISION_STEPS, word(tail, L.TAIL_STEPS));
  setWord(d, L.DECISION_FAULTS, faults);
  setWord(tail, L.TAIL_MACS, 0);
  setWord(tail, L.TAIL_STEPS, 0);
  setWord(tail, L.TAIL_PATCHES_SINCE_DECISION, 0);
}

/** True when the hop is over. */
export function isDue(ctx: Context): bool {
  return <u32>word(ctx.tail, L.TAIL_PATCHES_SINCE_DECISION) >= <u32>word(ctx.active, L.SETPOINT_HOP_PATCHES);
}
