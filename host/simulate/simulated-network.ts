import { checkAsk } from "../cloud/ask-check.ts";
import { type CloudQuery, isTextQuery } from "../cloud/provider.ts";
import type { Random } from "../core/system/random.ts";
import type { Connection } from "../mqtt/transport/connection.ts";
import type { ConnectionOptions } from "../mqtt/transport/connection-options.ts";
import type { PublishOptions, PublishResult } from "../mqtt/transport/publish.ts";
import { CONTENT_TYPE, encodePayload, SCHEMA_VERSION } from "../mqtt/wire/payloads.ts";
import { parseTopic } from "../mqtt/wire/topics.ts";
import type { Radio } from "../power/radio.ts";
import type { SimulatedClock } from "./clock.ts";
import type { SimulatedCloud } from "./cloud.ts";
import { type NetworkTrace, traceReader } from "./network-trace.ts";

/** Processing time of the cloud per ask. */
const SERVICE_MILLIS = 20;
/** A lost packet is sent again after this. */
const RESEND_MILLIS = 1000;
const MOST_SENDS = 6;
/** Most messages that wait for the radio; the event publisher keeps fewer. */
const MOST_WAITING = 512;

export interface SimulatedNetworkOptions {
  readonly clock: SimulatedClock;
  readonly trace: NetworkTrace;
  readonly radio: Pick<Radio, "isUp" | "carry">;
  readonly random: Random;
  readonly cloud: SimulatedCloud | undefined; // undefined: asks are sent, none is answered
}

/** A network, a radio and a cloud in simulated time, behind the interface of a connection. */
export interface SimulatedNetwork {
  /** For createAsker's `connect`. */
  connect(options: ConnectionOptions): Connection;
  /** Wakes the radio for waiting messages. */
  flush(): void;
  readonly isUp: () => boolean;
  readonly rttMillis: () => number;
  readonly messagesUp: number;
  readonly bytesUp: number;
  readonly asks: { readonly sent: number; readonly bytes: number }; // of `messagesUp` and `bytesUp`, each ask once
  readonly resends: number;
}

/**
 * Asks and alarms are sent at once; other messages wait until the radio is up, or for `flush`. The modem detects coverage. Messages in
 * flight when coverage ends are lost; the asker's retries resend them.
 */
export function createSimulatedNetwork({ clock, trace, radio, random, cloud }: SimulatedNetworkOptions): SimulatedNetwork {
  const stateAt = traceReader(trace);
  const seconds = (): number => clock.now() / 1000;
  const state = () => stateAt(seconds());
  const waiting: (() => void)[] = [];
  let messagesUp = 0;
  let bytesUp = 0;
  const asks = { sent: 0, bytes: 0 };
  let resends = 0;

  /** Sends bytes up, with retries; undefined: not delivered. */
  function send(bytes: number, sends: number, arrived: (delivered: boolean) => void): void {
    const { isUp, rttMillis, loss } = state();
    if (!isUp) {
      arrived(false);
      return;
    }
    messagesUp++;
    bytesUp += bytes;
    const end = radio.carry(seconds(), bytes, 0) * 1000;
    const isLost = random.uniform() < loss;
    if (!isLost) clock.after(end - clock.now() + rttMillis / 2, () => arrived(state().isUp));
    else if (sends >= MOST_SENDS) arrived(false);
    else {
      resends++;
      clock.after(end - clock.now() + RESEND_MILLIS, () => send(bytes, sends + 1, arrived));
    }
  }

  /** Sends an answer down; it may be lost. */
  function receive(bytes: number, sends: number, arrived: () => void): void {
    const { isUp, rttMillis, loss } = state();
    if (!isUp) return;
    if (random.uniform() >= loss) {
      clock.after(rttMillis / 2, () => {
        if (!state().isUp) return;
        const end = radio.carry(seconds(), 0, bytes) * 1000;
        clock.after(end - clock.now(), arrived);
      });
    } else if (sends < MOST_SENDS) clock.after(RESEND_MILLIS, () => receive(bytes, sends + 1, arrived));
  }

  function connect(options: ConnectionOptions): Connection {
    let current: Connection["state"] = "offline";
    let isOpen = false;
    const turn = (): void => {
      const next = isOpen && state().isUp ? "online" : "offline";
      if (next === current) return;
      current = next;
      options.onState(next, next === "online" ? "coverage" : "no coverage");
    };
    for (const entry of trace.slice(1)) clock.after(entry.fromSeconds * 1000 - clock.now(), turn);

    function ask(query: CloudQuery, { responseTopic, correlationData }: PublishOptions): void {
      if (cloud === undefined) return;
      const { node, agent, tick } = query;
      clock.hold(
        cloud.answer(query).then(({ label, confidence }) => {
          clock.after(SERVICE_MILLIS, () => {
            const answer = {
              v: SCHEMA_VERSION,
              kind: "answer",
              node,
              agent,
              wallMillis: clock.wall(),
              tick,
              label,
              confidence,
              model: "teacher",
            } as const;
            const bytes = encodePayload(answer);
            receive(bytes.length, 1, () =>
              options.onMessage({ topic: responseTopic ?? "", payload: bytes, retain: false, ...(correlationData && { correlationData }) }),
            );
          });
        }),
      );
    }

    function transmit(topic: string, payload: Uint8Array, publishOptions: PublishOptions, done: (result: PublishResult) => void): void {
      if (parseTopic(topic)?.kind === "ask") {
        asks.sent++;
        asks.bytes += payload.length;
      }
      send(payload.length, 1, (isDelivered) => {
        done(isDelivered ? { ok: true } : { ok: false, reason: "lost on the air" });
        if (isDelivered && parseTopic(topic)?.kind === "ask") {
          const checked = checkAsk({ topic, payload, retain: false, contentType: CONTENT_TYPE, ...publishOptions }, clock.now());
          if (checked.ok && !isTextQuery(checked.query))
            ask({ ...checked.query, deadlineAtMillis: Number.MAX_SAFE_INTEGER }, publishOptions);
        }
        flush();
      });
    }

    return {
      get state() {
        return current;
      },
      open() {
        isOpen = true;
        turn();
      },
      publish(topic, payload, publishOptions = {}) {
        return new Promise((resolve) => {
          if (current !== "online") return resolve({ ok: false, reason: "no coverage" });
          const go = (): void => transmit(topic, payload, publishOptions, resolve);
          const isUrgent = parseTopic(topic)?.kind === "ask" || publishOptions.priority === "alarm";
          if (isUrgent || radio.isUp(seconds())) go();
          else if (waiting.length < MOST_WAITING) waiting.push(go);
          else resolve({ ok: false, reason: "too much waits for the radio" });
        });
      },
      async flush() {},
      effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }), // coverage is known, so no attempt fails
      async close() {
        isOpen = false;
        turn();
      },
    };
  }

  function flush(): void {
    for (const go of waiting.splice(0)) go();
  }

  return {
    connect,
    flush,
    isUp: () => state().isUp,
    rttMillis: () => state().rttMillis,
    asks,
    get messagesUp() {
      return messagesUp;
    },
    get bytesUp() {
      return bytesUp;
    },
    get resends() {
      return resends;
    },
  };
}
