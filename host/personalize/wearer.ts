import type { Model } from "../core/session/model.ts";
import type { Decision, PushResult, Session } from "../core/session/session-types.ts";
import { ModelError } from "../core/system/errors.ts";
import { createAdapter, type Taught } from "./adapter.ts";
import { createLessons } from "./lessons.ts";
import type { Adaptable } from "./open-prior.ts";
import { createTrial, type Differing } from "./trial.ts";

/** What an adapted session has come to. */
export interface WearerStatus {
  readonly learned: number; // windows, in this run
  readonly windows: readonly number[]; // of each class that count, from earlier runs too
  readonly decidedByOwn: number; // decisions that the image was in doubt about and the wearer's own evidence made
  readonly disputes: number; // answers where they differed on such a decision
}

/** Hears of the asks of an adapted session, and says which decisions to ask about besides. */
export interface Learner {
  /** Whether an answer to the decision just made would settle a dispute, or teach. Within DISPUTES and EXPLORATIONS. */
  isCurious(): boolean;
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

/** What the two kinds of evidence make of one decision. */
interface Said extends Differing {
  readonly isUnsure: boolean; // the image is not sure at its last exit, under the thresholds in force
}

function isDisputed({ own, image, isUnsure }: Said): boolean {
  return isUnsure && own !== image;
}

/** Asks that may be spent at once, at most, and after how many decisions another may be. */
interface Allowance {
  readonly most: number;
  readonly refillDecisions: number;
}

/** Of what the image is in doubt about and the two kinds of evidence differ on. */
const DISPUTES: Allowance = { most: 16, refillDecisions: 256 };
/** Of every EXPLORE_EVERYth decision, so that every label has answers: many with a new wearer, then about ten an hour. */
const EXPLORATIONS: Allowance = { most: 32, refillDecisions: 256 };
export const EXPLORE_EVERY = 8;
/** Asks whose labels are kept until their answers come. */
const MOST_PENDING = 64;

function createAllowance({ most, refillDecisions }: Allowance) {
  let left = most;
  let decisions = 0;
  return {
    isAny: () => left > 0,
    spend() {
      left = Math.max(0, left - 1);
    },
    decided() {
      if (++decisions % refillDecisions === 0) left = Math.min(most, left + 1);
    },
  };
}

/**
 * A wearer's session: the image's, and beside it one with the wearer's own evidence, which learns from the answers to the agent's asks.
 * What the image is sure of stays as it is, certificate and all, and so does what it was not let finish; of what its last exit leaves in
 * doubt, the wearer's own evidence decides what it is sure of while it is not behind in its disputes, and all once it is well ahead
 * (createTrial). `onTaught` hears after every answer that taught something. Twice the work of one session: for hosts.
 */
export function createWearer(model: Model, { image, prior }: Adaptable, from?: Taught, onTaught?: (taught: Taught) => void): Wearer {
  const adapter = createAdapter(image, prior, {}, from);
  const lessons = createLessons(adapter, image);
  const trial = createTrial();
  const base = model.createSession();
  const own = model.createSession();
  own.setLda(adapter.lda());
  const pending = new Map<string, Said>();
  const lastExit = image.exits.length - 1;
  let said: Said = { own: -1, image: -1, isUnsure: false };
  let decisions = 0;
  const disputesLeft = createAllowance(DISPUTES);
  const explorationsLeft = createAllowance(EXPLORATIONS);
  let decidedByOwn = 0;
  let disputes = 0;

  const isDisputePending = (): boolean => [...pending.values()].some(isDisputed);

  function merged(one: Decision, other: Decision): Decision {
    said = { image: one.label, own: other.label, isUnsure: one.why !== "exit" && one.exit === lastExit };
    decisions++;
    disputesLeft.decided();
    explorationsLeft.decided();
    lessons.decided(one.label, one.patch);
    const isOwnSure = other.why === "exit";
    const isOwn = said.isUnsure && trial.decides(said, isOwnSure);
    if (isOwn) decidedByOwn++;
    const why = isOwnSure ? other.why : one.why; // whether a doubt asks is the image's to say
    return { ...(isOwn ? { ...other, why } : one), macs: one.macs + other.macs, steps: one.steps + other.steps };
  }

  function forget(): void {
    lessons.reset();
    trial.reset();
    pending.clear(); // their answers are of another wearing, maybe
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
    opCount(exit) {
      const one = base.opCount(exit);
      const twice = (kind: keyof typeof one): number => 2 * one[kind];
      return {
        ...{ macs: twice("macs"), requantize: twice("requantize"), state: twice("state") },
        ...{ lookup: twice("lookup"), norm: twice("norm"), weightBytes: twice("weightBytes") },
      };
    },
    setLda() {
      throw new ModelError("LDA_TAKEN", "a wearer's session finds its own evidence: set another's on a session of the model.");
    },
  };
  return {
    session,
    taught: adapter.taught,
    isCurious() {
      if (isDisputed(said)) return !isDisputePending() && disputesLeft.isAny();
      return decisions % EXPLORE_EVERY === 0 && explorationsLeft.isAny();
    },
    asked(id) {
      if (isDisputed(said)) disputesLeft.spend();
      else if (decisions % EXPLORE_EVERY === 0) explorationsLeft.spend();
      pending.set(id, said);
      if (pending.size > MOST_PENDING) pending.delete(pending.keys().next().value!);
      lessons.asked(id, base.context());
    },
    ended(id, answer) {
      const asked = pending.get(id);
      pending.delete(id);
      if (asked && answer && isDisputed(asked)) {
        disputes++;
        trial.dispute(asked, answer.label);
      }
      if (lessons.ended(id, answer) === 0) return;
      own.setLda(adapter.lda());
      onTaught?.(adapter.taught);
    },
    status: () => ({ learned: lessons.windows, windows: [...adapter.taught.windows], decidedByOwn, disputes }),
  };
}
