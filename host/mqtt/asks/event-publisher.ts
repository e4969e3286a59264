import { MqttError } from "../../core/system/errors.ts";
import type { Connection } from "../transport/connection.ts";
import { encodePayload, type PayloadFormat, SCHEMA_VERSION } from "../wire/payloads.ts";
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

interface QueuedEvent {
  readonly topic: string;
  readonly payload: Uint8Array;
  isUnderWay: boolean; // sent, and not acknowledged yet
}

export function createEventPublisher(options: {
  readonly node: string;
  readonly topics: NodeTopics;
  readonly connection: Connection;
  readonly wall: () => number;
  readonly format: PayloadFormat;
  readonly onAnomaly: (error: MqttError) => void;
}): EventPublisher {
  const { node, topics, connection, wall, format } = options;
  const queue: QueuedEvent[] = [];
  let droppedEvents = 0;
  let droppedTelemetry = 0;

  const drop = (code: string, message: string) => {
    droppedEvents++;
    options.onAnomaly(new MqttError(code, message));
  };

  async function send(event: QueuedEvent): Promise<void> {
    event.isUnderWay = true;
    const result = await connection.publish(event.topic, event.payload);
    event.isUnderWay = false;
    if (!result.ok && connection.state !== "online") return; // sent again when it is back: at least once
    const at = queue.indexOf(event);
    if (at >= 0) queue.splice(at, 1);
    if (at >= 0 && !result.ok) drop("EVENT_REFUSED", `the broker did not take an event: ${result.reason}.`);
  }

  /** All at once, in order: the radio is up once for what waits, and need not stay up for an acknowledgement of each. */
  function flush(): void {
    for (const event of [...queue]) if (!event.isUnderWay && connection.state === "online") void send(event);
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
        const payload = encodePayload(
          { v: SCHEMA_VERSION, kind: "event", node, agent, wallMillis: wall(), ...eventType(format, data), data },
          format,
        );
        queue.push({ topic: topics.event(agent), payload, isUnderWay: false });
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        return drop(error.code, error.message);
      }
      if (queue.length > MAX_QUEUED_EVENTS) {
        queue.shift();
        drop("EVENT_DROPPED", `more than ${MAX_QUEUED_EVENTS} events wait for the link; the oldest was dropped.`);
      }
      flush();
    },
    telemetry(data) {
      try {
        const payload = encodePayload({ v: SCHEMA_VERSION, kind: "telemetry", node, wallMillis: wall(), data }, format);
        if (connection.state === "online") void connection.publish(topics.telemetry, payload, { qos: 0, priority: "telemetry" });
        else droppedTelemetry++;
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        droppedTelemetry++;
        options.onAnomaly(error);
      }
    },
    flush,
  };
}

/** The label where readers of text look for it. */
export function eventType(format: PayloadFormat, { label }: Readonly<Record<string, unknown>>): { readonly event_type?: string } {
  return format === "json" && typeof label === "string" ? { event_type: label } : {};
}
