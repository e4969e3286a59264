import type { Evidence, SubjectList } from "../core/image/image-types.ts";
import { type Dataset, recordingsOf, scoredClassCount, scoredWindows, WINDOW_FRAMES } from "../data/recording.ts";
import { addEvidence, saidAt } from "../train/evidence.ts";
import { type FloatModel, floatLogits, floatPatches } from "../train/float-forward.ts";
import { fullDepth, type Losses, type Runnable, streamMoments, windowMoments } from "./protocols.ts";
import { createScore, createTally, type Evaluation } from "./score.ts";

export interface EvaluateOptions {
  readonly users: SubjectList;
  readonly onWindow?: (done: number) => void;
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
  const recordings = recordingsOf(dataset, users);
  const score = createScore(session, scoredClassCount(recordings, session.logits()[0]!.length));
  const moments =
    protocol === "window" ? windowMoments(session, recordings, losses) : streamMoments(session, model.image, recordings, losses);
  for (const moment of moments) {
    score.add(moment);
    onWindow?.(score.count());
  }
  return score.result(protocol);
}

/** What the floating-point run gives: no state, and no decisions that have to be the same on other engines. */
export type FloatEvaluation = Omit<Evaluation, "sha256" | "decisionsSha256">;

/**
 * The window protocol in floating point, weights and activations unrounded; evidence, integers anywhere, is the image's. About 5 ms a window.
 */
export function evaluateFloat(
  model: FloatModel,
  evidence: Evidence | undefined,
  dataset: Dataset,
  options: EvaluateOptions,
): FloatEvaluation {
  const recordings = recordingsOf(dataset, options.users);
  const tally = createTally(model.config.exits.length, model.config.nClasses, scoredClassCount(recordings, model.config.nClasses));
  for (const recording of recordings)
    for (const { start, label } of scoredWindows(recording)) {
      const logits = floatLogits(model.parameters, model.config, floatPatches(recording.frames, start, WINDOW_FRAMES, model.features));
      if (evidence) addEvidence(logits, 0, saidAt(evidence, recording, start, model.features));
      tally.add(logits, label - 1);
      options.onWindow?.(tally.count());
    }
  return { protocol: "window", windows: tally.count(), exits: tally.exits(() => 0) };
}
