import type { Smoothing } from "../core/image/image-types.ts";
import type { Recording } from "../data/recording.ts";
import { computeAccuracy, type NetEvaluator } from "./net-evaluator.ts";

/** Of the costs of changes that the labels' bouts suggest. */
const WEIGHTS = [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16];

/** The smoothing whose costs weigh as much as suits these wearers' streams: the steadiest of the best. */
export function weighSmoothing(smoothing: Smoothing, evaluator: NetEvaluator, recordings: readonly Recording[], exit: number): Smoothing {
  const candidates = WEIGHTS.map((weight) => ({
    ...smoothing,
    transitionCosts: smoothing.transitionCosts.map((cost) => Math.round(weight * cost)),
  }));
  const right = evaluator.streamEach(recordings, candidates).map((scored) => computeAccuracy(scored, exit));
  return candidates[right.indexOf(Math.max(...right))]!;
}
