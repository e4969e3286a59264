import type { IncomingMessage } from "../transport/connection-options.ts";
import { decodePayload, printable } from "../wire/payloads.ts";
import { parseTopic } from "../wire/topics.ts";

/** Longest plain word of `availability` and `label`. */
const MAX_PLAIN_BYTES = 256;
const MAX_UPDATE_BYTES = 4096;

/** A message of a node, read. Any bytes are safe. */
export interface ReadableMessage {
  readonly site: string;
  readonly node: string;
  readonly topic: string;
  readonly isRetained: boolean;
  /** What kind of message it is; `unreadable` with the reason. */
  readonly kind: "state" | "availability" | "label" | "update" | "worker" | "event" | "telemetry" | "unreadable";
  /** The agent of a label or event, the name of a worker. */
  readonly of?: string;
  readonly value: unknown;
}

/** Reads a message that a node or worker tells of itself; undefined for a topic that is none of those. */
export function readMessage({
  topic,
  payload,
  retain,
}: Pick<IncomingMessage, "topic" | "payload" | "retain">): ReadableMessage | undefined {
  const parsed = parseTopic(topic);
  if (parsed === undefined) return undefined;
  const { site, node, kind, tail } = parsed;
  const head = { site, node, topic, isRetained: retain, ...(tail !== undefined && { of: tail }) };
  const unreadable = (reason: string): ReadableMessage => ({ ...head, kind: "unreadable", value: reason });
  switch (kind) {
    case "state":
    case "event":
    case "telemetry":
    case "worker": {
      if (payload.length === 0) return { ...head, kind, value: null }; // taken back
      const read = decodePayload([kind === "worker" ? "state" : kind], payload);
      return read.ok ? { ...head, kind, value: printable(read.value) } : unreadable(read.reason);
    }
    case "availability":
    case "label":
      if (payload.length > MAX_PLAIN_BYTES) return unreadable(`${payload.length} B are no plain word`);
      return { ...head, kind, value: payload.length === 0 ? null : Buffer.from(payload).toString("utf8") };
    case "update":
      if (payload.length === 0) return { ...head, kind, value: null };
      if (payload.length > MAX_UPDATE_BYTES) return unreadable(`${payload.length} B are above the limit`);
      try {
        return { ...head, kind, value: JSON.parse(Buffer.from(payload).toString("utf8")) as unknown };
      } catch {
        return unreadable("not readable as JSON");
      }
    default:
      return undefined; // asks, answers and commands are not read here
  }
}
