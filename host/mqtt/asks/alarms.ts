import { MqttError } from "../../core/system/errors.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Connection } from "../transport/connection.ts";
import { decodePayload, encodePayload, type Payload, type PayloadFormat, SCHEMA_VERSION } from "../wire/payloads.ts";
import type { NodeTopics } from "../wire/topics.ts";
import { eventType } from "./event-publisher.ts";

/** Alarms that no disk would take, kept in memory; one more gives up the oldest. */
const MAX_VOLATILE = 64;

export interface AlarmCounts {
  readonly raised: number;
  readonly delivered: number; // the broker has them
  readonly undelivered: number; // given up: too old, evicted by alarms, more than any memory holds, or raised after the close
  readonly pending: number;
}

/** Events that must arrive: in the outbox until the broker has acknowledged them, and before everything else on the way. */
export interface Alarms {
  counts(): AlarmCounts;
  raise(id: string, agent: string, data: Readonly<Record<string, unknown>>): { readonly evicted: readonly string[] };
  /** Sends what waits; call when the link comes online, and now and then. */
  flush(): void;
  /** The outbox gave it up; false if it is no alarm. */
  gone(id: string): boolean;
  /** What is in no log is given up, and what is raised from now on. */
  close(): void;
}

export function createAlarms(options: {
  readonly node: string;
  readonly topics: NodeTopics;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly wall: () => number;
  readonly format: PayloadFormat;
  readonly onAnomaly: (error: MqttError) => void;
  readonly onSettled: () => void;
}): Alarms {
  const { node, topics, connection, outbox, wall, format } = options;
  const pending = new Map<string, { readonly agent: string; readonly payload: Uint8Array }>();
  const volatile = new Set<string>();
  const underWay = new Set<string>();
  const counts = { raised: 0, delivered: 0, undelivered: 0 };
  let isClosed = false;
  const anomaly = (code: string, message: string) => options.onAnomaly(new MqttError(code, message));

  const settle = (id: string, how: "delivered" | "undelivered") => {
    if (!pending.has(id)) return;
    const written = outbox.end(id, how);
    if (!written.ok && how === "delivered") return; // sent again: consumers drop duplicates by id
    pending.delete(id);
    volatile.delete(id);
    counts[how]++;
    options.onSettled();
  };
  const send = async (id: string) => {
    const alarm = pending.get(id);
    if (!alarm || underWay.has(id) || connection.state !== "online") return;
    underWay.add(id);
    const result = await connection.publish(topics.event(alarm.agent), alarm.payload, {
      priority: "alarm",
      correlationData: Buffer.from(id, "hex"),
    });
    underWay.delete(id);
    if (result.ok) settle(id, "delivered");
    else if (result.isTooLarge) {
      anomaly("ALARM_REFUSED", `alarm ${id} cannot be told here: ${result.reason}.`);
      settle(id, "undelivered");
    }
  };
  const flush = () => {
    for (const id of pending.keys()) void send(id);
  };

  for (const { id, kind, payload } of outbox.pending.values()) {
    if (kind !== "alarm") continue;
    const decoded = decodePayload(["event"], payload);
    counts.raised++;
    if (decoded.ok && decoded.value.node === node) pending.set(id, { agent: decoded.value.agent, payload });
    else {
      outbox.end(id, "undelivered");
      counts.undelivered++;
      anomaly(
        "OUTBOX_ENTRY_UNREADABLE",
        `alarm ${id} of an earlier process was given up: ${decoded.ok ? "another node's" : decoded.reason}.`,
      );
    }
  }

  return {
    counts: () => ({ ...counts, pending: pending.size }),
    raise(id, agent, data) {
      const event: Payload<"event"> = {
        v: SCHEMA_VERSION,
        kind: "event",
        node,
        agent,
        wallMillis: wall(),
        id,
        isAlarm: true,
        ...eventType(format, data),
        data: { ...data },
      };
      topics.event(agent); // throws for a name that no topic can carry
      const payload = encodePayload(event, format);
      counts.raised++;
      if (isClosed) {
        counts.undelivered++;
        anomaly("ALARM_REFUSED", `alarm ${id} was given up: the asker is closed. Raise it before, or with the next one.`);
        return { evicted: [] };
      }
      pending.set(id, { agent, payload });
      const added = outbox.add({ kind: "alarm", id, payload });
      if (!added.ok) {
        anomaly("ALARM_NOT_DURABLE", `alarm ${id} is in memory only: ${added.reason}. Make room on the outbox's disk.`);
        volatile.add(id);
        if (volatile.size > MAX_VOLATILE) settle(volatile.values().next().value!, "undelivered");
      }
      void send(id);
      return { evicted: added.ok ? added.evicted : [] };
    },
    flush,
    gone(id) {
      if (!pending.has(id)) return false;
      settle(id, "undelivered");
      return true;
    },
    close() {
      isClosed = true;
      for (const id of [...(outbox.isDurable ? volatile : pending.keys())]) settle(id, "undelivered");
    },
  };
}
