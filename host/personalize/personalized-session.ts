import type { Model } from "../core/session/model.ts";
import type { Decision, PushResult, Session } from "../core/session/session-types.ts";
import { ModelError } from "../core/system/errors.ts";
import { type Adaptation, createAdapter } from "./adapter.ts";
import type { Adaptable } from "./prior.ts";

/** What personalisation has done so far. */
export interface PersonalizationStatus {
  readonly learned: number; // windows, in this run
  readonly windows: readonly number[]; // per class, earlier runs included
  readonly decided: number; // decisions of the adapted head that differ from the image's
}

/** Gets the asks about a session's decisions, and the cloud's answers. */
export interface AnswerLearner {
  /** The last decision was asked about. */
  asked(id: string): void;
  /** An ask has ended, without an answer if that is left out. Ids of other runs are ignored. */
  ended(id: string, answer?: { readonly label: number; readonly confidence: number }): void;
}

/** A session whose LDA head adapts to one user. */
export interface PersonalizedSession extends Session, AnswerLearner {
  readonly adaptation: Adaptation;
  status(): PersonalizationStatus;
}

export interface PersonalizeOptions {
  /** Starts from this adaptation. Default: an empty one. */
  readonly from?: Adaptation | undefined;
  /** Called after every window that was learned. */
  readonly onLearned?: (adaptation: Adaptation) => void;
}

/** Answers less confident than this teach nothing: likelier wrong than right. */
const LEAST_CONFIDENCE = 0.5;
/** Asks whose windows are kept until their answers come. */
const MOST_PENDING = 64;

/**
 * Personalises a model's session by one rule: if the image is unsure at its last exit, the adapted LDA head decides if it is sure, by the
 * same thresholds. The image keeps every decision that it is sure of or that was stopped short, with its certificate.
 *
 * Pseudo-labels: an answer that agrees with the image's prediction teaches the window that was asked about (co-training: Blum and
 * Mitchell, COLT 1998). Runs two sessions, the image's and the adapted one: twice the MACs and memory.
 */
export function createPersonalizedSession(
  model: Model,
  { image, prior }: Adaptable,
  { from, onLearned }: PersonalizeOptions = {},
): PersonalizedSession {
  const adapter = createAdapter(image, prior, from);
  const base = model.createSession();
  const adapted = model.createSession();
  adapted.setLda(adapter.lda());
  const windowBytes = image.windowPatches * image.patchFrames * image.channels;
  const pseudoLabels = new Map<string, { readonly window: Int8Array; readonly label: number }>(); // by ask, until it ends
  const lastExit = image.exits.length - 1;
  let prediction = -1; // the image's label in the last decision
  let learned = 0;
  let decided = 0;

  function arbiter(one: Decision, other: Decision): Decision {
    prediction = one.label;
    const isUnsure = one.why !== "exit" && one.exit === lastExit;
    const isTaken = isUnsure && other.why === "exit";
    if (isTaken && other.label !== one.label) decided++;
    return { ...(isTaken ? other : one), macs: one.macs + other.macs, steps: one.steps + other.steps };
  }

  function both(one: PushResult, other: PushResult): PushResult {
    return one.decision && other.decision ? { ...one, decision: arbiter(one.decision, other.decision) } : one;
  }

  return {
    engine: base.engine,
    arenaBytes: base.arenaBytes + adapted.arenaBytes,
    adaptation: adapter.adaptation,
    status: () => ({ learned, windows: [...adapter.adaptation.windows], decided }),
    asked(id) {
      const context = base.context();
      if (context.length < windowBytes) return;
      pseudoLabels.set(id, { window: context.slice(-windowBytes), label: prediction });
      if (pseudoLabels.size > MOST_PENDING) pseudoLabels.delete(pseudoLabels.keys().next().value!);
    },
    ended(id, answer) {
      const asked = pseudoLabels.get(id);
      pseudoLabels.delete(id);
      if (asked === undefined || answer?.label !== asked.label || answer.confidence < LEAST_CONFIDENCE) return;
      if (!adapter.learn(asked.window, asked.label)) return;
      learned++;
      adapted.setLda(adapter.lda());
      onLearned?.(adapter.adaptation);
    },
    reset() {
      base.reset();
      adapted.reset();
    },
    pushFrame: (frame, tick) => both(base.pushFrame(frame, tick), adapted.pushFrame(frame, tick)),
    pushPatch: (patch) => both(base.pushPatch(patch), adapted.pushPatch(patch)),
    decide: () => arbiter(base.decide(), adapted.decide()),
    logits: () => base.logits(),
    features: (exit) => base.features(exit),
    setPoint(setPoint) {
      base.setPoint(setPoint);
      adapted.setPoint(setPoint);
    },
    context: () => base.context(),
    snapshot: () => base.snapshot(),
    restore(snapshot) {
      base.restore(snapshot);
      adapted.restore(snapshot);
    },
    opCount(exit) {
      const { macs, requantize, state, lookup, norm, weightBytes } = base.opCount(exit);
      return {
        macs: 2 * macs,
        requantize: 2 * requantize,
        state: 2 * state,
        lookup: 2 * lookup,
        norm: 2 * norm,
        weightBytes: 2 * weightBytes,
      };
    },
    setLda() {
      throw new ModelError("LDA_TAKEN", "a personalized session adapts its own LDA head: set another one on a session of the model.");
    },
  };
}
