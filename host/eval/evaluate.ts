import type { SubjectList } from "../core/image/image-types.ts";
import { countScoredWindows, type Dataset, scoredClassCount, selectRecordings } from "../data/recording.ts";
import { fullDepth, type Losses, type Runnable, streamMoments, windowMoments } from "./protocols.ts";
import { createScore, type Evaluation } from "./score.ts";

export interface EvaluateOptions {
  readonly users: SubjectList;
  readonly onWindow?: (done: number, total: number) => void;
  /** Counts what lost frames did. */
  readonly losses?: Losses;
}

/** Published windows of `users`, each from a reset state, every patch at full depth, scored after the last frame. */
export function evaluateWindows(model: Runnable, dataset: Dataset, options: EvaluateOptions): Evaluation {
  return evaluateAt(model, dataset, options, "window");
}

/** Whole recordings of `users` with carried state; each published window is scored by the decision after the last patch that ends within it. */
export function evaluateStream(model: Runnable, dataset: Dataset, options: EvaluateOptions): Evaluation {
  return evaluateAt(model, dataset, options, "stream");
}

function evaluateAt(
  model: Runnable,
  dataset: Dataset,
  { users, onWindow, losses }: EvaluateOptions,
  protocol: "window" | "stream",
): Evaluation {
  const session = fullDepth(model.createSession());
  const recordings = selectRecordings(dataset, users);
  const score = createScore(session, scoredClassCount(recordings, session.logits()[0]!.length));
  const moments =
    protocol === "window" ? windowMoments(session, recordings, losses) : streamMoments(session, model.image, recordings, losses);
  const total = onWindow && countScoredWindows(recordings);
  for (const moment of moments) {
    score.add(moment);
    onWindow?.(score.count(), total!);
  }
  return score.result(protocol);
}
