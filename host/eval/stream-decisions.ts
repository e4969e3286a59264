import { EXIT_NEVER } from "../../assembly/layout.ts";
import { argmaxLabel, computeConfidence, computeGateProbability } from "../core/arithmetic/exit-head.ts";
import type { ModelImage } from "../core/image/image-types.ts";
import { countScoredWindows, type SensedRecording } from "../data/recording.ts";
import type { ExitWord } from "../policy/certify/cascade.ts";
import type { HopLogits } from "../policy/certify/replay.ts";
import { classAt, type PolicyOptions } from "./evaluate-policy.ts";
import { frameAt, fullDepth, type Runnable, streamMoments } from "./protocols.ts";

/** One decision of the stream protocol, as every exit makes it, with what an ask about it would carry. */
export interface StreamDecision {
  readonly truth: number; // class
  readonly wearer: string;
  readonly frame: number; // index of the last frame that was seen
  readonly scores: readonly Int32Array[]; // per exit (nClasses,), Q10: its logits, smoothed over its own decisions before
  readonly exits: readonly ExitWord[]; // as the core decides, at the image's temperatures
  readonly context: Int8Array; // (≤ contextPatches, patchBytes), oldest first
}

/**
 * Decides at the end of each published window of whole recordings, state carried, at full depth. The context is the session's own:
 * the patches since the recording began, at most contextPatches of them.
 */
export function streamDecisions(
  model: Runnable,
  recordings: readonly SensedRecording[],
  onDecision?: (done: number, total: number) => void,
): StreamDecision[] {
  const session = fullDepth(model.createSession());
  const decisions: StreamDecision[] = [];
  const total = countScoredWindows(recordings);
  for (const { recording, frame, label, logits, scores, isSmoothed } of streamMoments(session, model.image, recordings)) {
    decisions.push({
      truth: label,
      wearer: recording.subject,
      frame,
      scores,
      exits: computeExits(model.image, logits, scores, isSmoothed),
      context: session.context(),
    });
    onDecision?.(decisions.length, total);
  }
  return decisions;
}

/**
 * One recording hop by hop at full depth: the logits of every exit where the running policy decides, labelled or not. Stopping early
 * would change none of them, until a ring overflows.
 */
export function hopLogits(model: Runnable, recording: SensedRecording, betweenClass: PolicyOptions["betweenClass"]): HopLogits[] {
  const { image } = model;
  const session = model.createSession();
  session.setPoint({
    ...{ maxExit: image.exits.length - 1, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
    thresholds: image.exits.map(() => EXIT_NEVER),
  });
  const hops: HopLogits[] = [];
  for (let i = 0; i < recording.labels.length; i++) {
    if (!session.pushFrame(frameAt(recording, i), i + 1).decision) continue;
    hops.push({ truth: classAt(recording, i, betweenClass), logits: session.logits() });
  }
  return hops;
}

/** Every exit's label, confidence and gate probability, as the core finds them. */
function computeExits(
  { exits }: Pick<ModelImage, "exits">,
  logits: readonly Int16Array[],
  scores: readonly Int32Array[],
  isSmoothed: boolean,
): StreamDecision["exits"] {
  return exits.map((exit, k) => {
    const label = argmaxLabel(scores[k]!);
    const by = [exit, label, logits[k]!, isSmoothed ? scores[k] : undefined] as const;
    return { label, confidenceQ15: computeConfidence(...by), gateProbabilityQ15: computeGateProbability(...by) };
  });
}
