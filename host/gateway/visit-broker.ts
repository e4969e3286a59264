import { sleep } from "../agent/sensors/pace.ts";
import type { Clock } from "../core/system/clock.ts";
import type { Backoff } from "../mqtt/transport/backoff.ts";
import type { BrokerOptions } from "../mqtt/transport/broker-url.ts";
import type { Connect, Connection } from "../mqtt/transport/connection.ts";
import { withoutSession } from "../mqtt/transport/without-session.ts";
import type { LinkState } from "../mqtt/wire/ask.ts";

export interface BrokerVisit {
  /** Begins the client's name. */
  readonly role: string;
  readonly broker: BrokerOptions;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly limitMillis: number;
  readonly backoff?: Backoff;
  /** `leave` ends the visit. */
  readonly onState: (state: LinkState, detail: string | undefined, connection: Connection, leave: () => void) => void;
}

/** Connects to the broker, subscribes to nothing, and leaves when told to or after the limit. Whether it was told to. */
export async function visitBroker({ role, broker, connect, clock, limitMillis, backoff, onState }: BrokerVisit): Promise<boolean> {
  const done = new AbortController();
  const connection = connect({
    ...withoutSession(role),
    ...(backoff && { backoff }),
    ...{ broker, clock },
    receiveMaximum: 8,
    filters: () => [],
    onMessage: () => {},
    onState: (state, detail) => onState(state, detail, connection, () => done.abort()),
  });
  connection.open();
  await sleep(clock, limitMillis, done.signal);
  await connection.close();
  return done.signal.aborted;
}
