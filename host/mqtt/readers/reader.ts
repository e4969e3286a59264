import type { Clock } from "../../core/system/clock.ts";
import type { BrokerOptions } from "../transport/broker-url.ts";
import { type Connect, type Connection, createConnection } from "../transport/connection.ts";
import type { IncomingMessage } from "../transport/connection-options.ts";
import { withoutSession } from "../transport/without-session.ts";
import type { LinkState } from "../wire/ask.ts";
import { tellingFilters } from "../wire/topics.ts";

/** Messages that the broker may have under way to a reader. */
const RECEIVE_MAXIMUM = 1024;

/** Reads what the nodes and workers of a site tell of themselves, the retained first. It has no session: nothing waits for a reader that is away. */
export function openReader(options: {
  readonly broker: BrokerOptions;
  /** Default: every site that the broker lets it read. */
  readonly site?: string | undefined;
  readonly clock: Clock;
  readonly onMessage: (message: IncomingMessage) => void;
  readonly onState: (state: LinkState, detail?: string) => void;
  readonly onAnomaly?: (code: string, message: string) => void;
  readonly connect?: Connect;
}): Connection {
  const { broker, site, clock, onMessage, onState, onAnomaly, connect = createConnection } = options;
  const connection = connect({
    ...{ broker, clock, onMessage, onState },
    ...(onAnomaly && { onAnomaly }),
    ...withoutSession("reader"),
    backoff: { firstMillis: 500, maxMillis: 30_000 },
    receiveMaximum: RECEIVE_MAXIMUM,
    filters: () => tellingFilters(site),
  });
  connection.open();
  return connection;
}
