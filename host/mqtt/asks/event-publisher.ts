import { MqttError } from "../../core/system/errors.ts";
import type { Connection } from "../transport/connection.ts";
import { encodePayload, SCHEMA_VERSION } from "../wire/payloads.ts";
import type { NodeTopics } from "../wire/topics.ts";

/** Events that wait while the link is down; one more drops the oldest. */
export const MAX_QUEUED_EVENTS = 256;

/** Events (QoS 1, kept a while when offline) and telemetry (QoS 0, only when online). */
export interface EventPublisher {
  readonly droppedEvents: number;
  readonly droppedTelemetry: number;
  event(agent: string, data: Readonly<Record<string, unknown>>): void;
  telemetry(data: Readonly<Record<string, unknown>>): void;
  /** Sends what waits; call when the link comes online. */
  flush(): void;
}

export function createEventPublisher(options: {
  readonly node: string;
  readonly topics: NodeTopics;
  readonly connection: Connection;
  readonly wall: () => number;
  readonly onAnomaly: (error: MqttError) => void;
}): EventPublisher {
  const { node, topics, connection, wall } = options;
  const queue: { readonly topic: string; readonly payload: Uint8Array }[] = [];
  let droppedEvents = 0;
  let droppedTelemetry = 0;
  let isSending = false;

  const drop = (code: string, message: string) => {
    droppedEvents++;
    options.onAnomaly(new MqttError(code, message));
  };

  async function flush(): Promise<void> {
    if (isSending) return;
    isSending = true;
    while (queue.length > 0 && connection.state === "online") {
      const first = queue[0]!;
      const result = await connection.publish(first.topic, first.payload);
      if (!result.ok && connection.state !== "online") break; // sent again when it is back: at least once
      if (queue[0] === first) queue.shift();
      if (!result.ok) drop("EVENT_REFUSED", `the broker did not take an event: ${result.reason}.`);
    }
    isSending = false;
  }

  return {
    get droppedEvents() {
      return droppedEvents;
    },
    get droppedTelemetry() {
      return droppedTelemetry;
    },
    event(agent, data) {
      try {
        const payload = encodePayload({ v: SCHEMA_VERSION, kind: "event", node, agent, wallMillis: wall(), data });
        queue.push({ topic: topics.event(agent), payload });
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        return drop(error.code, error.message);
      }
      if (queue.length > MAX_QUEUED_EVENTS) {
        queue.shift();
        drop("EVENT_DROPPED", `more than ${MAX_QUEUED_EVENTS} events wait for the link; the oldest was dropped.`);
      }
      void flush();
    },
    telemetry(data) {
      try {
        const payload = encodePayload({ v: SCHEMA_VERSION, kind: "telemetry", node, wallMillis: wall(), data });
        if (connection.state === "online") void connection.publish(topics.telemetry, payload, { qos: 0, priority: "telemetry" });
        else droppedTelemetry++;
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        droppedTelemetry++;
        options.onAnomaly(error);
      }
    },
    flush: () => void flush(),
  };
}
