import { EXIT_NEVER } from "../../assembly/layout.ts";
import type { ModelImage } from "../core/image-types.ts";
import { confidenceOf, labelOf } from "../core/reference/exit-head.ts";
import type { Session } from "../core/session-types.ts";
import type { HopDecision } from "../policy/exit-simulation.ts";
import { classAt, type PolicyOptions } from "./evaluate-policy.ts";
import { frameAt, fullDepth, type SensedRecording, streamMoments } from "./protocols.ts";

/** One decision of the stream protocol, as every exit makes it, with what an ask about it would carry. */
export interface StreamDecision {
  readonly truth: number; // class
  readonly wearer: string;
  readonly recording: number; // index in the list that was streamed
  readonly frame: number; // index of the last frame that was seen
  readonly logits: readonly Int16Array[]; // per exit (nClasses,), Q10
  readonly exits: readonly { readonly label: number; readonly confidenceQ15: number }[]; // as the core decides, at the image's temperatures
  readonly features: Int8Array; // (dModel,) that the last exit's head reads, 32 = 1
  readonly context: Int8Array; // (≤ contextPatches, patchBytes), oldest first
}

/**
 * Decides at the end of each published window of whole recordings, state carried, at full depth. The context is the session's own:
 * the patches since the recording began, at most contextPatches of them.
 */
export function streamDecisions(
  createSession: () => Session,
  image: Pick<ModelImage, "exits">,
  recordings: readonly SensedRecording[],
  onDecision?: (done: number) => void,
): StreamDecision[] {
  const session = fullDepth(createSession());
  const decisions: StreamDecision[] = [];
  for (const { recording, frame, label } of streamMoments(session, recordings)) {
    const logits = session.logits();
    decisions.push({
      truth: label,
      wearer: recording.subject,
      recording: recordings.indexOf(recording),
      frame,
      logits,
      exits: exitsOf(image, logits),
      features: session.features(image.exits.length - 1),
      context: session.context(),
    });
    onDecision?.(decisions.length);
  }
  return decisions;
}

/**
 * One recording hop by hop at full depth: what every exit says where the running policy decides, labelled or not. Stopping early would
 * change none of it, until a ring overflows.
 */
export function hopDecisions(
  createSession: () => Session,
  image: Pick<ModelImage, "exits" | "hopPatches">,
  recording: SensedRecording,
  betweenClass: PolicyOptions["betweenClass"],
): HopDecision[] {
  const session = createSession();
  session.setPoint({
    ...{ maxExit: image.exits.length - 1, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
    thresholds: image.exits.map(() => EXIT_NEVER),
  });
  const hops: HopDecision[] = [];
  for (let i = 0; i < recording.labels.length; i++) {
    if (!session.pushFrame(frameAt(recording, i), i + 1).decision) continue;
    const truth = classAt(recording, i, betweenClass);
    hops.push({ truth, exits: exitsOf(image, session.logits()) });
  }
  return hops;
}

/** Every exit's label and confidence, as the core finds them. */
function exitsOf({ exits }: Pick<ModelImage, "exits">, logits: readonly Int16Array[]): StreamDecision["exits"] {
  return logits.map((row, k) => ({ label: labelOf(row), confidenceQ15: confidenceOf(exits[k]!, row) }));
}
