import { MqttError } from "../core/errors.ts";
import { type LogFs, type LogRecovery, type LogResult, MAX_BODY_BYTES, openLog } from "./outbox-log.ts";
import type { AskEnd } from "./types.ts";

const ASKED = 1; // body: u8 1, id 16 B, f64 asked wall ms, payload (the ask as CBOR, its deadline from then)
const ENDED = 2; // body: u8 2, id 16 B, f64 ended wall ms, u8 index into ENDS
const HEAD_BYTES = 25;
const ENDS: readonly AskEnd[] = ["answered", "expired", "refused", "evicted"];

/** Ended ids that compaction keeps, so that a late answer after a restart is known as such. */
const RETAINED_ENDS = 256;
/** A log shorter than this is not worth compacting. */
const COMPACT_MIN_BYTES = 65_536;

/** An ask as it lies in the outbox. */
export interface OutboxEntry {
  readonly id: string; // 32 hex digits
  readonly askedWallMillis: number;
  readonly payload: Uint8Array; // CBOR of the ask
}

export interface OutboxLimits {
  /** Pending asks, default 8192. One more evicts the oldest. */
  readonly maxEntries?: number;
  /** Bytes of pending asks, default 32 MiB. The file never exceeds twice that and COMPACT_MIN_BYTES. */
  readonly maxBytes?: number;
}

export interface OutboxOptions extends OutboxLimits {
  readonly path: string;
  /**
   * What is on the medium before a call returns: `asked` (default) syncs each new ask, so power loss cannot lose one, but may bring
   * back one that had just ended; `all` syncs ends too; `none` leaves it to the system. All three survive kill -9.
   */
  readonly fsync?: "all" | "asked" | "none";
  readonly fs?: LogFs;
}

export interface Outbox {
  /** Whether pending asks outlive the process. */
  readonly isDurable: boolean;
  /** What opening found; undefined in memory. */
  readonly recovery: LogRecovery | undefined;
  /** Pending asks, oldest first, and the ends that the log still remembers. */
  readonly pending: ReadonlyMap<string, OutboxEntry>;
  readonly ended: ReadonlyMap<string, AskEnd>;
  readonly bytes: number; // of pending asks
  readonly fileBytes: number;
  /** Makes an ask durable. `evicted` had to leave for it and have ended. On failure the ask is in no outbox. */
  add(entry: OutboxEntry): LogResult & { readonly evicted: readonly string[] };
  end(id: string, state: AskEnd, wallMillis: number): LogResult;
  close(): void;
}

/** The outbox of a demo or a test: same bounds, gone with the process. */
export function memoryOutbox(limits: OutboxLimits = {}): Outbox {
  return createOutbox(limits, undefined, "none");
}

/** Opens the outbox file, recovering the longest valid prefix. Example: `openOutbox({ path: ".dormouse/outbox.log" })`. */
export function openOutbox(options: OutboxOptions): Outbox {
  const { path, fsync = "asked", fs } = options;
  return createOutbox(options, openLog(path, { sync: fsync !== "none", fs }), fsync);
}

function createOutbox(limits: OutboxLimits, file: ReturnType<typeof openLog> | undefined, fsync: "all" | "asked" | "none"): Outbox {
  const { maxEntries = 8192, maxBytes = 33_554_432 } = limits;
  if (!(maxEntries >= 1) || !(maxBytes >= 1)) {
    throw new MqttError("OUTBOX_LIMITS", `an outbox of ${maxEntries} entries and ${maxBytes} B holds nothing. Allow at least one of each.`);
  }
  const pending = new Map<string, OutboxEntry>();
  const ended = new Map<string, AskEnd>();
  let bytes = 0;
  let compactAbove = COMPACT_MIN_BYTES;

  const admit = (entry: OutboxEntry) => {
    pending.set(entry.id, entry);
    bytes += entry.payload.length;
  };
  const settle = (id: string, state: AskEnd) => {
    bytes -= pending.get(id)?.payload.length ?? 0;
    pending.delete(id);
    ended.set(id, state);
    if (ended.size > RETAINED_ENDS) ended.delete(ended.keys().next().value!);
  };
  const compact = (): LogResult => {
    const bodies = [...[...ended].map(([id, state]) => endedBody(id, state, 0)), ...[...pending.values()].map(askedBody)];
    const result = file!.log.rewrite(bodies);
    compactAbove = Math.max(COMPACT_MIN_BYTES, 2 * file!.log.bytes, result.ok ? 0 : file!.log.bytes + COMPACT_MIN_BYTES);
    return result;
  };

  for (const body of file?.bodies ?? []) {
    const record = readBody(body);
    if (record === undefined) continue; // of a later version, its CRC intact
    if (typeof record.what !== "string") {
      if (!pending.has(record.id) && !ended.has(record.id))
        admit({ id: record.id, askedWallMillis: record.wallMillis, payload: record.what });
    } else settle(record.id, record.what);
  }

  return {
    isDurable: file !== undefined,
    recovery: file?.log.recovery,
    pending,
    ended,
    get bytes() {
      return bytes;
    },
    get fileBytes() {
      return file?.log.bytes ?? 0;
    },
    add(entry) {
      const size = entry.payload.length;
      if (size > Math.min(maxBytes, MAX_BODY_BYTES - HEAD_BYTES))
        return { ok: false, reason: `${size} B do not fit the outbox`, evicted: [] };
      const evicted: string[] = [];
      let room = maxBytes - bytes - size;
      for (const [id, oldest] of pending) {
        if (room >= 0 && pending.size - evicted.length < maxEntries) break;
        evicted.push(id);
        room += oldest.payload.length;
      }
      if (file) {
        if (file.log.bytes > compactAbove || file.log.bytes + size > 2 * maxBytes) compact();
        if (file.log.bytes + size > 2 * maxBytes + COMPACT_MIN_BYTES)
          return { ok: false, reason: "the log is full and cannot be compacted", evicted: [] };
        const bodies = [...evicted.map((id) => endedBody(id, "evicted", entry.askedWallMillis)), askedBody(entry)];
        const result = file.log.append(bodies, { sync: fsync !== "none" });
        if (!result.ok) return { ...result, evicted: [] };
      }
      for (const id of evicted) settle(id, "evicted");
      admit(entry);
      return { ok: true, evicted };
    },
    end(id, state, wallMillis) {
      if (!pending.has(id)) return { ok: true };
      settle(id, state);
      if (!file) return { ok: true };
      const result = file.log.append([endedBody(id, state, wallMillis)], { sync: fsync === "all" });
      return file.log.bytes > compactAbove ? compact() : result;
    },
    close() {
      file?.log.close();
    },
  };
}

function askedBody(entry: OutboxEntry): Uint8Array {
  return body(ASKED, entry.id, entry.askedWallMillis, entry.payload);
}

function endedBody(id: string, state: AskEnd, wallMillis: number): Uint8Array {
  return body(ENDED, id, wallMillis, Uint8Array.of(ENDS.indexOf(state)));
}

function body(type: number, id: string, wallMillis: number, rest: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(HEAD_BYTES + rest.length);
  bytes.writeUInt8(type, 0);
  bytes.write(id, 1, "hex");
  bytes.writeDoubleLE(wallMillis, 17);
  bytes.set(rest, HEAD_BYTES);
  return bytes;
}

/** `what`: the payload of an ask, or the state in which one ended. */
function readBody(body: Uint8Array): { id: string; wallMillis: number; what: Uint8Array | AskEnd } | undefined {
  if (body.length <= HEAD_BYTES) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const id = bytes.toString("hex", 1, 17);
  const wallMillis = bytes.readDoubleLE(17);
  if (bytes[0] === ASKED) return { id, wallMillis, what: Uint8Array.from(bytes.subarray(HEAD_BYTES)) };
  const state = ENDS[bytes[HEAD_BYTES]!];
  return bytes[0] === ENDED && state ? { id, wallMillis, what: state } : undefined;
}
