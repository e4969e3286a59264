import type { Clock } from "../core/system/clock.ts";
import type { DormouseError } from "../core/system/errors.ts";
import type { LedgerSink } from "../mqtt/outbox/ledger.ts";
import type { Backoff, RandomBytes } from "../mqtt/transport/backoff.ts";
import type { BrokerOptions } from "../mqtt/transport/broker-url.ts";
import type { Connect } from "../mqtt/transport/connection.ts";
import type { LinkState } from "../mqtt/wire/ask.ts";
import type { ReplyTo } from "./ask-check.ts";
import type { Provider } from "./provider.ts";

export type CloudState = "received" | "answered" | "refused" | "expired";

export interface WorkerOptions {
  readonly broker: BrokerOptions;
  readonly provider: Provider;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
  /** Worker i of N, where the broker has no shared subscriptions. Default 0 of 1. */
  readonly workerIndex?: number;
  readonly workerCount?: number;
  /** Group of the shared subscription, one per site: all its workers name the same. Default `cloud`. */
  readonly group?: string | undefined;
  /** The worker takes it over and closes it. */
  readonly ledgerSink?: LedgerSink;
  readonly onLinkState?: (state: LinkState, detail?: string) => void;
  readonly onAnomaly?: (error: DormouseError) => void;
  /** An ask is this worker's to reply to: called while its message is being handled, not again for its repeats meanwhile. */
  readonly onTaken?: (to: ReplyTo) => void;
  /** An ask that was taken ends without a reply. */
  readonly onDropped?: (to: ReplyTo, why: "expired" | "invalid") => void;
  /** Says on worker/{name} of this site that it is there, as long as it is. Left out: it does not. */
  readonly presence?: { readonly site: string; readonly name: string; readonly firmware: string };
  /** Default `cloud-` and 16 random hex digits. */
  readonly clientId?: string;
  /** Asks that may wait, default 512; one more is refused with a time to come back. */
  readonly queueLimit?: number;
  /** Longest wait that is promised, default 2000: less than a device's patience before it asks again. */
  readonly maxWaitMillis?: number;
  /** Asks in one call of the provider, default 32, after waiting for company for at most `batchDelayMillis`, default 2. */
  readonly batchLimit?: number;
  readonly batchDelayMillis?: number;
  /** Answers remembered for repeated asks, default 4096; ids in the ledger, default 8192. */
  readonly cacheEntries?: number;
  readonly ledgerEntries?: number;
  /** Least time to come back after a refusal for want of room or a provider's failure, default 1000. */
  readonly retryAfterMillis?: number;
  /** A provider that takes longer has failed, default 60000. */
  readonly providerTimeoutMillis?: number;
  /** How long close() goes on answering what it has admitted, default 10000. */
  readonly drainMillis?: number;
  readonly keepAliveSeconds?: number;
  readonly backoff?: Backoff;
  /** Default createConnection. */
  readonly connect?: Connect;
}

export interface WorkerStats {
  readonly received: number; // asks that were ours, repeats included
  readonly answered: number;
  readonly refused: number;
  readonly expired: number;
  readonly malformed: number;
  readonly duplicates: number; // repeats of an ask that is still in work
  readonly cacheHits: number; // repeats that got the answer they had
  readonly notMine: number; // another worker's, by hash
  readonly unread: number; // of nodes whose asks came to nothing too often lately
  readonly busy: number; // of the refused: turned away for want of room or time, to come back
  readonly hopeless: number; // of the refused: no time left for any answer
  readonly queued: number;
  readonly batches: number;
  readonly largestBatch: number;
  readonly providerErrors: number;
  readonly askMillis: number; // of the provider an ask, lately; 0 before the first batch
}

export interface Worker {
  readonly linkState: LinkState;
  readonly subscription: "none" | "shared" | "partitioned";
  /** Waits until it is subscribed, at most `timeoutMillis`. */
  ready(timeoutMillis: number): Promise<boolean>;
  stats(): WorkerStats;
  ledger(): ReadonlyMap<string, CloudState>;
  /** Takes no more asks, answers those it has, and disconnects. */
  close(): Promise<void>;
}
