import type { Session, SetPoint } from "../core/session/session-types.ts";
import { isScored, type SensedRecording } from "../data/recording.ts";
import { frameAt } from "./protocols.ts";

/** What a running policy did: hop by hop over whole recordings, scored wherever the frame is labelled. */
export interface PolicyEvaluation {
  readonly decisions: number; // labelled ones
  readonly right: number; // of those, whatever became of them: an unsure one counts with the label it had
  readonly answered: number; // locally, at a sure exit
  readonly answeredRight: number;
  readonly answeredByExit: readonly number[];
  readonly meanMacs: number; // a decision, labelled or not; catch-up included
  readonly rebuilds: number; // decisions, labelled or not, before which a ring had overflowed
  readonly rebuildFraction: number; // of all decisions
  readonly afterRebuild: { readonly decisions: number; readonly right: number }; // labelled decisions that a rebuilt state made
}

export interface PolicyOptions {
  readonly setPoint: SetPoint;
  /** Class of the labels that windows are not scored on (HAPT's transitions): −1 where the model has none. */
  readonly betweenClass: number;
}

/** Streams whole recordings under a set-point, the core deciding at each hop. */
export function evaluatePolicy(
  createSession: () => Session,
  recordings: readonly SensedRecording[],
  { setPoint, betweenClass }: PolicyOptions,
): PolicyEvaluation {
  const session = createSession();
  session.setPoint(setPoint);
  let decisions = 0;
  let right = 0;
  let answered = 0;
  let answeredRight = 0;
  let macs = 0;
  let all = 0;
  let rebuilds = 0;
  const afterRebuild = { decisions: 0, right: 0 };
  const answeredByExit: number[] = new Array(session.logits().length).fill(0);
  for (const recording of recordings) {
    session.reset();
    for (let i = 0; i < recording.labels.length; i++) {
      const { decision } = session.pushFrame(frameAt(recording, i), i + 1);
      if (!decision) continue;
      all++;
      macs += decision.macs;
      if (decision.rebuilds > 0) rebuilds++;
      const label = classAt(recording, i, betweenClass);
      if (label < 0) continue;
      decisions++;
      const isRight = decision.label === label;
      if (isRight) right++;
      if (decision.rebuilds > 0) {
        afterRebuild.decisions++;
        if (isRight) afterRebuild.right++;
      }
      if (decision.why !== "exit") continue;
      answered++;
      answeredByExit[decision.exit]!++;
      if (isRight) answeredRight++;
    }
  }
  const meanMacs = macs / Math.max(1, all);
  return {
    ...{ decisions, right, answered, answeredRight, answeredByExit, meanMacs },
    ...{ rebuilds, rebuildFraction: rebuilds / Math.max(1, all), afterRebuild },
  };
}

/** Class of frame i, −1 = none of the model's. */
export function classAt(recording: SensedRecording, i: number, betweenClass: number): number {
  const label = recording.labels[i]!;
  if (label === 0) return -1;
  return isScored(recording, label) ? label - 1 : betweenClass;
}
