import * as L from "../layout";
import { Context } from "../context";
import { maxS32 } from "../kernels/softmax";
import { setWord, word } from "../words";

// Viterbi smoothing over labels: how well each label explains all decisions since the reset. A label's score is that of the best
// sequence of labels that ends in it: its logits summed, less the cost of every change. So one odd hop is outvoted by those before it,
// and nobody is standing who has not got up. Memory: a score a class.
// Source: the forward recursion of Viterbi, IEEE Trans. Information Theory 13 (1967); Forney, Proc. IEEE 61 (1973).
// Oracle: host/core/arithmetic/smoothing.ts, bit-exact.

/** ctx.acc (nClasses,) s32 = logits (nClasses,) s16, Q10. */
export function copyLogits(ctx: Context, logits: usize): void {
  const n = ctx.nClasses;
  for (let j = 0; j < n; j++) store<i32>(ctx.acc + <usize>(j << 2), <i32>load<i16>(logits + <usize>(j << 1)));
}

/** ctx.acc (nClasses,) = scores s32 Q10 of a decision from these logits: plus the path scores, if decisions are smoothed. */
export function scoreLabels(ctx: Context, logits: usize): void {
  copyLogits(ctx, logits);
  if (ctx.pathScores == 0) return;
  const bytes = <usize>(ctx.nClasses << 2);
  for (let at: usize = 0; at < bytes; at += 4) store<i32>(ctx.acc + at, load<i32>(ctx.acc + at) + load<i32>(ctx.pathScores + at));
}

/**
 * The decision was made from these logits, which weigh as many patches as came since the last: keeps what every label starts from at the
 * next one, at most 0. Uses ctx.acc.
 */
export function keepPathScores(ctx: Context, logits: usize): void {
  if (ctx.pathScores == 0) return;
  const n = ctx.nClasses;
  const costs = ctx.image + <usize>word(ctx.smoothing, L.SMOOTHING_COSTS);
  const shift = word(ctx.smoothing, L.SMOOTHING_SHIFT);
  const weight = <i32>min<u32>(word(ctx.tail, L.TAIL_PATCHES_SINCE_DECISION), 1 << shift);
  for (let j = 0; j < n; j++) {
    const at = <usize>(j << 2);
    const lda = (<i32>load<i16>(logits + (at >> 1)) * weight + ((1 << shift) >> 1)) >> shift;
    store<i32>(ctx.acc + at, load<i32>(ctx.pathScores + at) + lda);
  }
  const best = maxS32(ctx.acc, n);
  for (let j = 0; j < n; j++) {
    let score = i32.MIN_VALUE;
    for (let i = 0; i < n; i++) {
      score = max<i32>(score, load<i32>(ctx.acc + <usize>(i << 2)) - load<i32>(costs + <usize>((i * n + j) << 2)));
    }
    store<i32>(ctx.pathScores + <usize>(j << 2), score - best);
  }
  setWord(ctx.tail, L.TAIL_IS_SMOOTHED, 1);
}
