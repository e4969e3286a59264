import type { LoopCounters } from "../agent/loop-types.ts";
import type { Phase, ViewInfo } from "../agent/run-view.ts";
import type { DecisionWhy } from "../core/session/session-types.ts";
import type { LinkState } from "../mqtt/wire/ask.ts";
import type { GovernorStatus } from "../policy/govern/governor-types.ts";

// What the server tells the page: server-sent events whose data is JSON. Both ends import these types.

/** In the order of their numbers in a decision ring. */
export const WHYS = ["exit", "ask", "deferred", "budget", "thermal"] as const satisfies readonly DecisionWhy[];
/** In the order of their numbers in a decision ring and of the power chart's layers. */
export const POWER_PARTS = ["sleep", "sensor", "load", "compute", "radio"] as const;
export type PowerPart = (typeof POWER_PARTS)[number];

/** One decision. Labels are indexes; −1: none or unknown. */
export interface DecisionRow {
  readonly seconds: number; // device time, long gaps shortened
  readonly label: number;
  readonly shown: number;
  readonly truth: number;
  readonly confidence: number; // 0…1
  readonly exit: number; // 0-based
  readonly why: number; // index of WHYS
  readonly isCloud: boolean; // whose word `shown` is
  readonly isGap: boolean; // frames were lost before it
  readonly macs: number;
  readonly level: number; // of degradation, 0…4
  readonly skinCelsius: number; // NaN: not modelled
  readonly watts: readonly number[]; // by part, in the order of POWER_PARTS; empty: not modelled
  readonly reason: string;
}

/** One ask, and what came of it. */
export interface AskRow {
  readonly id: string;
  readonly seconds: number; // of the unsure decision
  readonly label: number;
  readonly confidence: number;
  readonly state: "open" | "answered" | "expired" | "refused" | "evicted";
  readonly answer: number; // −1: none
  readonly answerConfidence: number;
  readonly millis: number; // from ask to end; 0 while open
  readonly use: string; // applied, confirmed, kept, superseded, none
  readonly reason: string;
}

/** A line of the list of events. */
export interface EventRow {
  readonly seconds: number;
  readonly kind: string; // of the loop's step
  readonly text: string;
}

export interface LinkRow {
  readonly state: LinkState;
  readonly detail: string;
  readonly retryMillis: number; // until the next try, from now; −1: none is due
}

/** What the page may do; a button that would do nothing is not drawn. */
export interface PageControls {
  readonly canPace: boolean;
  readonly canSwitchBroker: boolean;
  readonly canAsk: boolean; // questions in words
}

export interface RunInfo extends Omit<ViewInfo, "speed" | "pageUrl"> {
  readonly node: string;
  readonly channels: readonly { readonly name: string; readonly unit: string }[]; // of the signal chart
  readonly signalRateHz: number;
  readonly durationSeconds: number; // of a recording; 0: it has no end
  readonly controls: PageControls;
}

/** What changes all the time; the whole of it is sent each time. */
export interface RunStatus {
  readonly phase: Phase;
  readonly seconds: number;
  readonly speed: number; // 0: unpaced
  readonly isPaused: boolean;
  readonly isBrokerUp: boolean;
  readonly counters: LoopCounters;
  readonly power: GovernorStatus | null;
  readonly link: LinkRow;
  readonly oldestAskMillis: number; // −1: nothing waits
  /** What is wrong with the input or the node, while it lasts; empty: nothing. */
  readonly warning: string;
}

/** Event `run`: everything, to a page that has just come or has lost messages. */
export interface RunHello {
  readonly info: RunInfo;
  readonly decisions: RingColumns;
  readonly asks: readonly AskRow[];
  readonly events: readonly EventRow[];
  readonly signals: SignalChunk;
  readonly status: RunStatus;
}

/** Event `frame`: what has happened since the last one. */
export interface RunFrame {
  readonly decisions?: readonly DecisionRow[];
  readonly asks?: readonly AskRow[]; // new, or changed
  readonly events?: readonly EventRow[];
  readonly signals?: SignalChunk;
  readonly status: RunStatus;
}

/** Samples of each channel from `seconds` on, `RunInfo.signalRateHz` apart. */
export interface SignalChunk {
  readonly seconds: number;
  readonly values: readonly (readonly number[])[]; // [channel][sample], in the channel's unit
}

/** A decision ring as columns; reasons are numbers into `reasons`. */
export interface RingColumns {
  readonly numbers: Readonly<Record<string, readonly (number | null)[]>>; // null: NaN
  readonly reasons: readonly string[];
}

/** Event `fleet`: one row per node. */
export interface FleetRow {
  readonly node: string;
  readonly state: "awake" | "asleep" | "offline";
  readonly label: string;
  readonly stateOfCharge: number; // 0…1; −1: unknown
  readonly skinCelsius: number; // −1: unknown
  readonly model: string;
  readonly firmware?: string;
  readonly wallMillis?: number; // of its last word
  readonly asks: number;
}

export interface FleetHello {
  readonly labels: readonly string[];
  readonly rows: readonly FleetRow[];
}

/** Event `fleet-frame`: what has changed, by node; a new node comes whole, one that is gone is named. */
export interface FleetFrame {
  readonly rows: readonly (Pick<FleetRow, "node"> & Partial<FleetRow>)[];
  readonly gone: readonly string[];
}

/** Event `lost`: the page read too slowly, and so many messages were left out; a `run` event follows. */
export interface LostMessage {
  readonly messages: number;
}

/** Event `bye`: the stream ends for good, with the reason. */
export interface ByeMessage {
  readonly reason: string;
}

/** What the assistant's box shows; POST act/question returns it. */
export interface AnswerMessage {
  readonly text: string;
  readonly by: string;
  readonly why: string;
  readonly intent: string | null;
  readonly probability: number;
  readonly millis: number;
}
