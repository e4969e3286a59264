import type { DecisionWhy, Session, SetPoint } from "../core/session/session-types.ts";
import type { DormouseError } from "../core/system/errors.ts";
import type { AskCounts, Asker, AskerEvents } from "../mqtt/asks/asker-types.ts";
import type { Presence } from "../mqtt/asks/presence.ts";
import type { AskOutcome, LinkState } from "../mqtt/wire/ask.ts";
import type { AnswerLearner } from "../personalize/personalized-session.ts";
import type { AskInputOptions } from "../policy/govern/ask-inputs.ts";
import type { LoopGovernor } from "../policy/govern/governor-types.ts";
import type { SensorFaultName } from "./sensor-fault.ts";
import type { SensorFrame } from "./sensors/sensor.ts";
import type { AnswerUse, LabelSource } from "./shown-label.ts";
import type { SuspicionEnd } from "./suspicion.ts";
import type { SuspicionRule } from "./suspicion-rule.ts";
import type { TruthCounts } from "./truth-score.ts";

/** What the loop needs to know of its model. `loopModel(model)` makes it. */
export interface LoopModel {
  readonly imageHash: string;
  readonly labels: readonly string[];
  readonly nExits: number;
  readonly windowPatches: number;
  readonly hopPatches: number;
  readonly patchBytes: number;
  readonly isSmoothed?: boolean; // Viterbi smoothing in the image. Default false
}

/** One decision with its reason, as logs and views show it. */
export interface DecisionRecord {
  readonly tick: number;
  readonly label: string; // the model's label
  readonly confidence: number; // 0…1
  readonly exit: number; // 0-based
  readonly why: DecisionWhy;
  readonly macs: number;
  readonly rebuilds: number;
  readonly shown: string | undefined; // the steady label, the cloud's word included; undefined while the sensor is implausible
  readonly source: LabelSource; // whose word `shown` is
  readonly truth: string | undefined; // what a synthetic or labelled wearer truly did
  readonly reason: string; // one sentence
}

/** How many suspicions were raised, and how they ended. */
export interface SuspicionCounts extends Readonly<Record<SuspicionEnd, number>> {
  readonly raised: number;
}

/** A suspicion has come to a state. */
export interface SuspicionLoopStep {
  readonly kind: "suspicion";
  readonly number: number; // from 1
  readonly tick: number; // of the suspicion
  readonly state: "waiting" | "asked" | SuspicionEnd;
  readonly label: string; // suspected
  readonly probability: number; // 0…1, of it
  readonly id?: string | undefined; // of the ask, once it is asked
  readonly isOwn?: boolean; // no answer came, and the device's own rule tells an alarm
  readonly outcome?: AskOutcome | undefined; // of its ask
}

/** Everything that happens in the loop, in order. */
export type LoopStep =
  | { readonly kind: "decision"; readonly record: DecisionRecord }
  | {
      readonly kind: "event";
      readonly tick: number;
      readonly label: string;
      readonly before: string | undefined;
      readonly source: LabelSource;
      readonly confidence: number;
    }
  | { readonly kind: "ask"; readonly id: string; readonly tick: number; readonly label: string; readonly confidence: number }
  | {
      readonly kind: "outcome";
      readonly outcome: AskOutcome;
      readonly local: string;
      readonly answer: string | undefined;
      readonly use: AnswerUse | "none";
    }
  | SuspicionLoopStep
  | {
      readonly kind: "link";
      readonly state: LinkState;
      readonly detail: string | undefined;
      readonly retryMillis?: number | undefined; // until the next try, while offline
    }
  | { readonly kind: "gap"; readonly tick: number; readonly isReset: boolean }
  | { readonly kind: "sensor-fault"; readonly tick: number; readonly faults: readonly SensorFaultName[] } // changed; empty: the sensor is plausible again
  | { readonly kind: "anomaly"; readonly error: DormouseError };

export interface LoopCounters extends Omit<AskCounts, "duplicateAnswers" | "lateAnswers" | "malformedAnswers" | "unknownAnswers"> {
  readonly decisions: number;
  readonly events: number;
  readonly exits: readonly number[]; // decisions by exit
  readonly meanMacs: number; // a decision, catch-up included
  readonly frames: number;
  readonly gaps: number; // short losses: the last frame was held
  readonly resets: number; // long losses: the state began anew
  readonly ignored: number; // frames whose tick did not advance
  readonly applied: number; // answers that set the label or agreed with it
  readonly anomalies: number;
  readonly withheld: number; // decisions while the sensor was implausible: none was answered, shown or asked
  readonly sensorFaults: readonly SensorFaultName[]; // that stand
  /** Of an agent that declares suspicions. */
  readonly suspicions?: SuspicionCounts;
  /** Where the wearer's truth is known. */
  readonly truth: TruthCounts;
}

export interface LoopOptions {
  readonly agent: string;
  readonly stableDecisions: number;
  readonly holdSeconds: number;
  readonly rateHz: number;
  readonly model: LoopModel;
  readonly session: Session;
  /** Paced frames (`paced`). */
  readonly frames: AsyncIterable<SensorFrame>;
  /** Makes the asker. Left out: the loop decides locally and never asks. */
  readonly connect?: (events: AskerEvents) => Asker;
  readonly intervalHops: number;
  readonly deadlineSeconds: number;
  /** What asks may carry, and what that may cost. Default: features, at any price. */
  readonly asks?: AskInputOptions;
  /** The label whose event must arrive: published as an alarm. */
  readonly alarm?: string;
  /** Alarms of this label are put to the cloud, and nothing else is asked but audits. Left out: unsure decisions are asked. */
  readonly suspicion?: SuspicionRule;
  /** Overrides parts of the set-point. */
  readonly setPoint?: Partial<SetPoint>;
  /** Overrides the rest of it, decision by decision. Default: nothing is governed. */
  readonly governor?: LoopGovernor;
  /** Gets asks and answers; a personalized session learns from them. */
  readonly learner?: AnswerLearner;
  readonly onStep?: (step: LoopStep) => void;
  /** What else is known of the node, for telemetry and its retained state. */
  readonly about?: Presence;
  /** Ends a wait for answers; the frames end by themselves. */
  readonly signal?: AbortSignal;
  /** Waits for answers while more asks than this are pending and the link is up. For unpaced replays. Default: never waits. */
  readonly maxPending?: number;
  /** Device seconds between two telemetry messages. Default 60. */
  readonly telemetrySeconds?: number;
  /** Decisions that `log()` remembers. Default 256. */
  readonly logEntries?: number;
}

/** sense → step → decision → event or ask. */
export interface Loop {
  /** Runs until the frames end. */
  run(): Promise<void>;
  counters(): LoopCounters;
  /** Asks of this run that are in no state in the asker's ledger: 0, or something is broken. */
  lost(): number;
  /** The last decisions with their reasons, oldest first. */
  log(): readonly DecisionRecord[];
  /** Ends suspicions that no answer has come for: the device's own rule decides. Call when no more answers will come. */
  finish(): void;
  /** The node's retained state. Unknown values are left out. */
  presence(): Presence;
  /** The steady label. */
  readonly label: string | undefined;
  readonly asker: Asker | undefined;
  /**
   * Parts of the set-point that an operator or a governor orders; each order replaces the last, an empty one takes it back. Returns
   * undefined, or why the core refuses it: then the last one holds.
   */
  order(setPoint: Partial<SetPoint>): string | undefined;
  /** The set-point in force; its `askAllowed` changes with every ask. */
  setPoint(): SetPoint;
}
