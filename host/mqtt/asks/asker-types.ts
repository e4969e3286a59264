import type { DormouseError } from "../../core/system/errors.ts";
import type { AskOutcome, AskQuery, AskState, LinkState, TextOutcome, TextQuery } from "../wire/ask.ts";
import type { AlarmCounts } from "./alarms.ts";
import type { Presence } from "./presence.ts";

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
  /** News about the node for its retained state. */
  report(presence: Presence): void;
  telemetry(values: Readonly<Record<string, unknown>>): void;
  stats(): AskerStats;
  /** Publishes `asleep`, disconnects with the will kept (0x04) and stays off the air until `wake`. Asks go on ageing. */
  sleep(untilWallMillis: number): Promise<void>;
  wake(): void;
  /** Waits until nothing is pending, at most `timeoutMillis`; true = drained. */
  drain(timeoutMillis: number): Promise<boolean>;
  /** Evicts every ask that is pending and clears the outbox of asks; an alarm that is not told yet stays. Returns how many were evicted. */
  forget(): number;
  /** Publishes `offline` and disconnects. A durable outbox keeps what is pending for the next start; without one it is evicted. */
  close(): Promise<void>;
}

/** Why asks were evicted. */
export interface EvictionCounts {
  readonly full: number; // a younger ask or an alarm took its place
  readonly size: number; // larger than any place
  readonly age: number; // older than the outbox keeps
  readonly closed: number; // closed without a durable outbox
  readonly forgotten: number; // the wearer wanted it
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
  onLinkState?(state: LinkState, detail?: string, retryMillis?: number): void;
  /** A counted oddity: malformed, late, repeated or unknown answer, dropped event, refused payload. */
  onAnomaly?(error: DormouseError): void;
}
