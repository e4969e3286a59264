import { checkAsk } from "../cloud/ask-check.ts";
import { type CloudQuery, isTextQuery } from "../cloud/provider.ts";
import type { Random } from "../core/system/random.ts";
import type { Connection } from "../mqtt/transport/connection.ts";
import type { ConnectionOptions } from "../mqtt/transport/connection-options.ts";
import { publishBytes } from "../mqtt/transport/packet-size.ts";
import type { PublishOptions } from "../mqtt/transport/publish.ts";
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
/** So many messages waiting wake the radio before the next report: fewer than the event publisher keeps. */
const MOST_WAITING = 200;
/** What waited goes in TCP segments, each with the radio's overhead once. */
const SEGMENT_BYTES = 1400;
/** PUBACK of a further message in a segment (MQTT 5 §3.4); a topic alias stands for its topic. */
const PUBACK_BYTES = 4;
const WITH_ALIAS = { topicAliasMaximum: 1 };

export interface SimulatedNetworkOptions {
  readonly clock: SimulatedClock;
  readonly trace: NetworkTrace;
  readonly radio: Pick<Radio, "carry">;
  readonly random: Random;
  readonly cloud: SimulatedCloud | undefined; // undefined: asks are sent, none is answered
  readonly isNewsHeld?: boolean; // default true; false: every message is sent at once
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

/** A message on its way up. */
interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly publishOptions: PublishOptions;
  readonly done: (isDelivered: boolean) => void;
}

/** Messages in order, as TCP packs them. */
function segmentsOf(messages: readonly Message[]): { readonly messages: Message[]; readonly bytes: number }[] {
  const segments: { messages: Message[]; bytes: number }[] = [];
  for (const message of messages) {
    const { payload, publishOptions } = message;
    const last = segments.at(-1);
    const more = publishBytes("", payload.length, { ...publishOptions, qos: 1 }, WITH_ALIAS) + PUBACK_BYTES;
    if (last === undefined || last.bytes + more > SEGMENT_BYTES) segments.push({ messages: [message], bytes: payload.length });
    else {
      last.messages.push(message);
      last.bytes += more;
    }
  }
  return segments;
}

/**
 * Asks and alarms are sent at once. Other messages wait for them or for `flush`, even while the radio's tail runs, which they would
 * stretch. The modem detects coverage. Messages in flight when coverage ends are lost; the asker's retries resend them.
 */
export function createSimulatedNetwork(options: SimulatedNetworkOptions): SimulatedNetwork {
  const { clock, trace, radio, random, cloud, isNewsHeld = true } = options;
  const stateAt = traceReader(trace);
  const seconds = (): number => clock.now() / 1000;
  const state = () => stateAt(seconds());
  let waiting: Message[] = [];
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

  function connect(connection: ConnectionOptions): Connection {
    let current: Connection["state"] = "offline";
    let isOpen = false;
    const turn = (): void => {
      const next = isOpen && state().isUp ? "online" : "offline";
      if (next === current) return;
      current = next;
      connection.onState(next, next === "online" ? "coverage" : "no coverage");
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
              connection.onMessage({
                topic: responseTopic ?? "",
                payload: bytes,
                retain: false,
                ...(correlationData && { correlationData }),
              }),
            );
          });
        }),
      );
    }

    function transmit({ topic, payload, publishOptions, done }: Message): void {
      const isAsk = parseTopic(topic)?.kind === "ask";
      if (isAsk) {
        asks.sent++;
        asks.bytes += payload.length;
      }
      send(payload.length, 1, (isDelivered) => {
        done(isDelivered);
        if (isDelivered && isAsk) {
          const checked = checkAsk({ topic, payload, retain: false, contentType: CONTENT_TYPE, ...publishOptions }, clock.now());
          if (checked.ok && !isTextQuery(checked.query))
            ask({ ...checked.query, deadlineAtMillis: Number.MAX_SAFE_INTEGER }, publishOptions);
        }
        flush(); // what waits rides along
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
          const done = (isDelivered: boolean) => resolve(isDelivered ? { ok: true } : { ok: false, reason: "lost on the air" });
          const message = { topic, payload, publishOptions, done };
          const isUrgent = !isNewsHeld || parseTopic(topic)?.kind === "ask" || publishOptions.priority === "alarm";
          if (isUrgent) return transmit(message);
          waiting.push(message);
          if (waiting.length >= MOST_WAITING) flush();
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
    const messages = waiting;
    waiting = [];
    for (const segment of segmentsOf(messages)) {
      messagesUp += segment.messages.length - 1; // `send` counts one
      send(segment.bytes, 1, (isDelivered) => {
        for (const { done } of segment.messages) done(isDelivered);
      });
    }
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
