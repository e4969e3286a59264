import type { Clock } from "../../core/system/clock.ts";
import type { LedgerSink } from "../outbox/ledger.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Backoff, RandomBytes } from "../transport/backoff.ts";
import type { BreakerOptions } from "../transport/breaker.ts";
import type { BrokerOptions } from "../transport/broker-url.ts";
import type { Connect } from "../transport/connection.ts";
import type { IncomingMessage } from "../transport/connection-options.ts";
import type { PayloadFormat } from "../wire/payloads.ts";
import type { AskerEvents } from "./asker-types.ts";
import type { Companion } from "./companion.ts";
import type { Presence } from "./presence.ts";

export interface AskerOptions {
  readonly broker: BrokerOptions;
  readonly site: string;
  /** Also the client id: one node, one connection. */
  readonly node: string;
  readonly events: AskerEvents;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
  /** Default memoryOutbox(). The asker takes it over and closes it. */
  readonly outbox?: Outbox;
  /** The asker takes it over and closes it. */
  readonly ledgerSink?: LedgerSink;
  readonly presence?: Presence;
  /** How state, events and telemetry are written. `json` also keeps `availability` and `label/{agent}` as plain words. Default cbor. */
  readonly payload?: PayloadFormat;
  /** `report` publishes the state at once. Default: it waits for the next connection, which costs a radio nothing. */
  readonly isStateLive?: boolean;
  readonly companion?: Companion;
  /** Hears `command/+` of this node. Left out: commands are not subscribed to. */
  readonly onCommand?: (message: IncomingMessage) => void;
  /** Default 300. The will delay is one minute longer, the session expiry another hour. */
  readonly longestSleepSeconds?: number;
  /** Default 60. */
  readonly keepAliveSeconds?: number;
  /** Without any acknowledgement for so long the connection is given up, default 20000: a half-open one is found out. */
  readonly ackTimeoutMillis?: number;
  /** Reconnects, default 500…30000 ms. */
  readonly backoff?: Backoff;
  /** Default: opens after 12 tries without a connection that held, for 1 to 15 minutes. */
  readonly breaker?: BreakerOptions;
  /** Radio time in any hour that may bring nothing: what an outage costs at most. Default: unbounded, for what hangs on the mains. */
  readonly radioMillisAnHour?: number;
  /** Resends of an unanswered ask, default 3000…15000 ms. */
  readonly retry?: Backoff;
  /** Asks sent and unanswered at once, at most, default 32; fewer while answers fail to come. */
  readonly askWindow?: number;
  /** Ids that the ledger remembers, default 65536. */
  readonly ledgerEntries?: number;
  /** Default createConnection. */
  readonly connect?: Connect;
}
