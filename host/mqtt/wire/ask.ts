import type { DormouseError } from "../../core/system/errors.ts";
import type { AlarmCounts } from "../asks/alarms.ts";
import type { AskForm } from "./payloads.ts";
import type { AskText, TextReply } from "./text-ask.ts";

/** The life of an ask: pending until it ends once in one of the others. */
export const ASK_STATES = ["pending", "answered", "expired", "refused", "evicted"] as const;
export type AskState = (typeof ASK_STATES)[number];
export type AskEnd = Exclude<AskState, "pending">;

/** All that an answer needs: workers are stateless. */
export interface AskQuery {
  readonly agent: string;
  readonly imageHash: string; // hex SHA-256 of the image that was unsure
  readonly labels: readonly string[];
  readonly tick: number; // device time (frames) of the decision
  /** What the rows of `patches` are, default `features`; see ASK_FORMS. */
  readonly form?: AskForm;
  readonly atExit?: number; // of `activations`: the exit whose head read them
  readonly patches: Int8Array; // (patchCount, patchBytes) oldest first: context, ending with the window
  readonly patchBytes: number;
  readonly windowPatches: number;
  readonly local: { readonly label: number; readonly confidenceQ15: number; readonly exit: number };
  readonly deadlineMillis: number; // from now
}

/** A question in free text; its bounds are those of wire/text-ask.ts. Whoever asks has scrubbed all of it. */
export interface TextQuery extends AskText {
  readonly agent: string;
  readonly tick: number; // device time
  readonly deadlineMillis: number; // from now
}

/** What the cloud said. `label` indexes the labels of the ask. */
export interface Answer {
  readonly label: number;
  readonly confidence: number; // 0…1
  readonly model: string;
}

/** An ask that has ended. */
export interface AskOutcome {
  readonly id: string; // 32 hex digits: the correlation data
  readonly state: AskEnd;
  readonly answer?: Answer;
  readonly reason?: string; // why refused or evicted
  readonly agent: string;
  readonly tick: number;
  readonly local: AskQuery["local"];
  readonly latencyMillis: number;
}

/** Every ask is in exactly one of these; duplicates, late, malformed and unknown count answers that were ignored. */
export interface AskCounts {
  readonly asked: number;
  readonly answered: number;
  readonly expired: number;
  readonly refused: number;
  readonly evicted: number;
  readonly pending: number;
  readonly duplicateAnswers: number;
  readonly lateAnswers: number;
  readonly malformedAnswers: number;
  readonly unknownAnswers: number;
}

/** A text ask that has ended. `question` is as it was sent, its placeholders in place. */
export interface TextOutcome extends Pick<AskOutcome, "id" | "state" | "reason" | "agent" | "tick" | "latencyMillis"> {
  readonly question: string;
  readonly reply?: TextReply & { readonly model: string };
}

export type LinkState = "offline" | "connecting" | "online";

/** Sends asks and delivers their outcomes. Never throws for a network failure. */
export interface Asker {
  /** Durably queues an ask and returns its id; the outcome comes once, to `onOutcome`, that of a text ask to `onTextOutcome`. */
  ask(query: AskQuery | TextQuery): string;
  counts(): AskCounts;
  /** Ids by state: this end's ledger. */
  ledger(): ReadonlyMap<string, AskState>;
  readonly linkState: LinkState;
  /** Publishes a decision worth telling on event/{agent}. Dropped and counted while offline beyond a bound. */
  event(agent: string, event: Readonly<Record<string, unknown>>): void;
  /** An event that must arrive: durable where the outbox is, before everything else on the way, at least once; given up once closed. Returns its id. */
  alarm(agent: string, event: Readonly<Record<string, unknown>>): string;
  telemetry(values: Readonly<Record<string, unknown>>): void;
  stats(): AskerStats;
  /** Publishes `asleep`, disconnects with the will kept (0x04) and stays off the air until `wake`. Asks go on ageing. */
  sleep(untilWallMillis: number): Promise<void>;
  wake(): void;
  /** Waits until nothing is pending, at most `timeoutMillis`; true = drained. */
  drain(timeoutMillis: number): Promise<boolean>;
  /** Publishes `offline` and disconnects. A durable outbox keeps what is pending for the next start; without one it is evicted. */
  close(): Promise<void>;
}

/** Why asks were evicted. */
export interface EvictionCounts {
  readonly full: number; // a younger ask or an alarm took its place
  readonly size: number; // larger than any place
  readonly age: number; // older than the outbox keeps
  readonly closed: number; // closed without a durable outbox
  readonly unreadable: number; // left by an earlier process, not to be read any more
  readonly notDurable: number; // on no disk when their process ended, or turned away by one that takes nothing
}

/** What the counts of asks do not tell. */
export interface AskerStats {
  readonly evictions: EvictionCounts;
  readonly alarms: AlarmCounts;
  readonly notDurable: number; // asks that the disk refused: asked from memory
  readonly unrecorded: number; // answers not acted on, since the disk did not take their end: asked again
  readonly radioMillis: number; // of the last hour, that brought nothing
  readonly breakerOpens: number;
  readonly takeovers: number; // connections that another client of our name ended
  readonly connects: number;
  readonly sends: number; // publishes of asks, resends included
  readonly resends: number;
  readonly postponed: number; // a busy worker asked for patience
  readonly droppedEvents: number;
  readonly droppedTelemetry: number;
  readonly outboxFailures: number; // writes that the disk refused
  readonly outboxBytes: number;
  readonly recovered: number; // asks that an earlier process left pending
  readonly ledgerForgotten: number; // ended ids beyond the ledger's bound
}

export interface AskerEvents {
  onOutcome(outcome: AskOutcome): void;
  onTextOutcome?(outcome: TextOutcome): void;
  onLinkState?(state: LinkState, detail?: string): void;
  /** A counted oddity: malformed, late, repeated or unknown answer, dropped event, refused payload. */
  onAnomaly?(error: DormouseError): void;
}
