import type { Model } from "../core/model.ts";
import type { Decision, PushResult, Session } from "../core/session-types.ts";
import { createAdapter, type Taught } from "./adapter.ts";
import { createLessons } from "./lessons.ts";
import type { Adaptable } from "./open-prior.ts";
import { createTrial } from "./trial.ts";

/** What an adapted session has come to. */
export interface WearerStatus {
  readonly learned: number; // windows, in this run
  readonly windows: readonly number[]; // of each class that count, from earlier runs too
  readonly decidedByOwn: number; // decisions that the wearer's own evidence made
  readonly disputes: number; // answers where the two kinds of evidence differed
}

/** Hears of the asks of an adapted session, and says which decisions to ask about besides. */
export interface Learner {
  /** The decision just made would be another with the other evidence, and no ask about such a one is under way. */
  isDisputed(): boolean;
  /** The decision just made is asked. */
  asked(id: string): void;
  /** An ask has ended. Others than those of this run are left aside. */
  ended(id: string, answer?: { readonly label: number; readonly confidence: number }): void;
}

export interface Wearer extends Learner {
  /** What the agent runs: the image's session, its decisions made by whichever evidence has the say. */
  readonly session: Session;
  readonly taught: Taught;
  status(): WearerStatus;
}

/** Asks whose labels are kept until their answers come. */
const MOST_PENDING = 64;

/**
 * A wearer's session: the image's, and beside it one with the wearer's own evidence, which learns from the answers to the agent's asks and
 * decides once it has won its disputes (createTrial). `onTaught` hears after every answer that taught something. Twice the work of one
 * session: for hosts.
 */
export function createWearer(model: Model, { image, prior }: Adaptable, from?: Taught, onTaught?: (taught: Taught) => void): Wearer {
  const adapter = createAdapter(image, prior, {}, from);
  const lessons = createLessons(adapter, image);
  const trial = createTrial();
  const base = model.createSession();
  const own = model.createSession();
  own.setEvidence(adapter.evidence());
  const pending = new Map<string, { readonly own: number; readonly image: number }>();
  let labels = { own: -1, image: -1 };
  let disputeId: string | undefined;
  let decidedByOwn = 0;
  let disputes = 0;

  function merged(one: Decision, other: Decision): Decision {
    labels = { image: one.label, own: other.label };
    lessons.decided(one.label, one.patch);
    if (trial.isOwn) decidedByOwn++;
    const work = { macs: one.macs + other.macs, steps: one.steps + other.steps, rebuilds: one.rebuilds + other.rebuilds };
    return { ...(trial.isOwn ? other : one), ...work };
  }

  function forget(): void {
    lessons.reset();
    trial.reset();
  }

  function both(one: PushResult, other: PushResult): PushResult {
    if (one.reset) forget();
    const { decision } = one;
    return decision && other.decision ? { ...one, decision: merged(decision, other.decision) } : one;
  }

  const session: Session = {
    engine: base.engine,
    arenaBytes: base.arenaBytes + own.arenaBytes,
    reset() {
      base.reset();
      own.reset();
      forget();
    },
    pushFrame: (frame, tick) => both(base.pushFrame(frame, tick), own.pushFrame(frame, tick)),
    pushPatch: (patch) => both(base.pushPatch(patch), own.pushPatch(patch)),
    decide: () => merged(base.decide(), own.decide()),
    logits: () => base.logits(),
    features: (exit) => base.features(exit),
    setPoint(setPoint) {
      base.setPoint(setPoint);
      own.setPoint(setPoint);
    },
    context: () => base.context(),
    snapshot: () => base.snapshot(),
    restore(snapshot) {
      base.restore(snapshot);
      own.restore(snapshot);
      forget();
    },
    opCount: (exit) => base.opCount(exit),
    setEvidence: (evidence) => base.setEvidence(evidence),
  };
  return {
    session,
    taught: adapter.taught,
    isDisputed: () => labels.own !== labels.image && disputeId === undefined,
    asked(id) {
      if (labels.own !== labels.image) disputeId = id;
      pending.set(id, labels);
      if (pending.size > MOST_PENDING) pending.delete(pending.keys().next().value!);
      lessons.asked(id, base.context());
    },
    ended(id, answer) {
      const asked = pending.get(id);
      pending.delete(id);
      if (disputeId === id) disputeId = undefined;
      if (asked && answer && asked.own !== asked.image) {
        disputes++;
        trial.dispute(asked, answer.label);
      }
      if (lessons.ended(id, answer) === 0) return;
      own.setEvidence(adapter.evidence());
      onTaught?.(adapter.taught);
    },
    status: () => ({ learned: lessons.windows, windows: [...adapter.taught.windows], decidedByOwn, disputes }),
  };
}
