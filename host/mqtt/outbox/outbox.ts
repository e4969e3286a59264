import { MqttError } from "../../core/system/errors.ts";
import { createLogTime, type SteadyClock, systemSteadyClock } from "./log-time.ts";
import { lockOutbox } from "./outbox-lock.ts";
import { type LogFs, type LogRecovery, type LogResult, openLog } from "./outbox-log.ts";
import {
  END_RECORD_BYTES,
  MAX_ENTRY_BYTES,
  type OutboxEnd,
  type OutboxEntry,
  type OutboxKind,
  type OutboxRecord,
  writeRecord,
} from "./outbox-records.ts";
import { replay } from "./outbox-replay.ts";

export type { OutboxEntry } from "./outbox-records.ts";

/** A log shorter than this is not worth compacting. */
const COMPACT_MIN_BYTES = 524_288;
const DAY_MILLIS = 86_400_000;

export interface OutboxLimits {
  /** Entries, default 8192. One more evicts the oldest ask; alarms only make way for alarms. */
  readonly maxEntries?: number;
  /** Bytes of entries, default 32 MiB. The file never exceeds twice that, an end record for each and COMPACT_MIN_BYTES. */
  readonly maxBytes?: number;
  /** Age in ms above which `overdue` lists an entry. Default: one day. */
  readonly maxAgeMillis?: number;
}

export interface OutboxOptions extends OutboxLimits {
  readonly path: string;
  /**
   * What is on the medium before a call returns: `asked` (default) syncs each new entry, so power loss cannot lose one, but may bring
   * back one that had just ended; `all` syncs ends too; `none` leaves it to the system. All three survive kill -9.
   */
  readonly fsync?: "all" | "asked" | "none";
  readonly fs?: LogFs;
  /** Default: the machine's. */
  readonly time?: SteadyClock;
}

/** Why an entry was not taken: the disk (try again), its size (never), or alarms fill every place. */
export type AddResult =
  | { readonly ok: true; readonly evicted: readonly string[] }
  | { readonly ok: false; readonly why: "disk" | "size" | "alarms"; readonly reason: string };

export interface Outbox {
  /** Whether entries outlive the process. */
  readonly isDurable: boolean;
  /** What opening found; undefined in memory. */
  readonly recovery: LogRecovery | undefined;
  /** Entries, oldest first, and the ends that the log still remembers. */
  readonly pending: ReadonlyMap<string, OutboxEntry>;
  readonly ended: ReadonlyMap<string, OutboxEnd>;
  readonly bytes: number; // of entries
  readonly fileBytes: number;
  /** Log time, in milliseconds: never set, never back, on through restarts. */
  now(): number;
  /** Makes an entry durable. `evicted` had to leave for it and have ended. On failure it is in no outbox. `at`: default now. */
  add(entry: { readonly kind: OutboxKind; readonly id: string; readonly payload: Uint8Array; readonly at?: number }): AddResult;
  /** On failure (a full disk: room for it is kept, but media fail) the entry is pending still. */
  end(id: string, state: OutboxEnd): LogResult;
  /** Gives up every ask that is pending and what is remembered of those that ended; the file keeps neither. Alarms stay. */
  forget(): LogResult;
  /** Entries older than the bound. */
  overdue(): readonly string[];
  /** Logs the current time, so that ages stay right after an unexpected reboot. */
  beat(): void;
  close(): void;
}

/** The outbox of a demo or a test: same bounds, gone with the process. */
export function memoryOutbox(limits: OutboxLimits = {}, time: SteadyClock = systemSteadyClock): Outbox {
  return createOutbox(limits, time, undefined, "none", () => {});
}

/** Opens the outbox file for this process alone, recovering the longest valid prefix. Example: `openOutbox({ path: ".dormouse/outbox.log" })`. */
export function openOutbox(options: OutboxOptions): Outbox {
  const { path, fsync = "asked", fs, time = systemSteadyClock } = options;
  const lock = lockOutbox(path);
  try {
    return createOutbox(options, time, openLog(path, { sync: fsync !== "none", fs }), fsync, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function createOutbox(
  limits: OutboxLimits,
  time: SteadyClock,
  file: ReturnType<typeof openLog> | undefined,
  fsync: "all" | "asked" | "none",
  release: () => void,
): Outbox {
  const { maxEntries = 8192, maxBytes = 33_554_432, maxAgeMillis = DAY_MILLIS } = limits;
  if (!(maxEntries >= 1) || !(maxBytes >= 1)) {
    throw new MqttError("OUTBOX_LIMITS", `an outbox of ${maxEntries} entries and ${maxBytes} B holds nothing. Allow at least one of each.`);
  }
  const state = replay(file?.bodies ?? []);
  const { pending, ended } = state;
  const now = createLogTime(time, state.mark);
  let compactAbove = COMPACT_MIN_BYTES;

  const stamp = () => ({ at: now(), wall: time.wall() });
  const epoch = (): OutboxRecord => ({ type: "epoch", boot: time.boot, steady: time.steady(), ...stamp() });
  const append = (records: readonly OutboxRecord[], sync: boolean, entries: number): LogResult =>
    file!.log.append(records.map(writeRecord), { sync, reserveBytes: entries * END_RECORD_BYTES });
  const compact = (): LogResult => {
    const { at, wall } = stamp();
    const records: OutboxRecord[] = [epoch()];
    for (const [id, state] of ended) records.push({ type: "end", id, at, wall, state });
    for (const entry of pending.values()) records.push({ type: "entry", wall, ...entry });
    const result = file!.log.rewrite(records.map(writeRecord), pending.size * END_RECORD_BYTES);
    compactAbove = Math.max(COMPACT_MIN_BYTES, 2 * file!.log.bytes, result.ok ? 0 : file!.log.bytes + COMPACT_MIN_BYTES);
    return result;
  };
  const leaves = (id: string): OutboxEnd => (pending.get(id)?.kind === "alarm" ? "undelivered" : "evicted");
  /** Who leaves so that `size` more bytes of this kind fit; undefined if that takes more than may leave. */
  const makeWay = (kind: OutboxKind, size: number): string[] | undefined => {
    const leaving: string[] = [];
    let room = maxBytes - state.bytes - size;
    for (const sort of kind === "alarm" ? (["ask", "alarm"] as const) : (["ask"] as const)) {
      for (const [id, entry] of pending) {
        if (room >= 0 && pending.size - leaving.length < maxEntries) return leaving;
        if (entry.kind !== sort) continue;
        leaving.push(id);
        room += entry.payload.length;
      }
    }
    return room >= 0 && pending.size - leaving.length < maxEntries ? leaving : undefined;
  };

  if (file) append([epoch()], false, pending.size); // on a full disk the log goes on in the epoch before

  return {
    isDurable: file !== undefined,
    recovery: file?.log.recovery,
    pending,
    ended,
    now,
    get bytes() {
      return state.bytes;
    },
    get fileBytes() {
      return file?.log.bytes ?? 0;
    },
    add({ kind, id, payload, at = now() }) {
      const size = payload.length;
      if (size > Math.min(maxBytes, MAX_ENTRY_BYTES)) return { ok: false, why: "size", reason: `${size} B do not fit the outbox` };
      const evicted = makeWay(kind, size);
      if (evicted === undefined) return { ok: false, why: "alarms", reason: "the outbox is full of alarms" };
      if (file) {
        const bound = 2 * maxBytes + maxEntries * END_RECORD_BYTES;
        if (file.log.bytes > compactAbove || file.log.bytes + size > bound) compact();
        if (file.log.bytes + size > bound + COMPACT_MIN_BYTES)
          return { ok: false, why: "disk", reason: "the log is full and cannot be compacted" };
        const { wall } = stamp();
        const ends = evicted.map((gone): OutboxRecord => ({ type: "end", id: gone, at: now(), wall, state: leaves(gone) }));
        const result = append([...ends, { type: "entry", kind, id, at, wall, payload }], fsync !== "none", pending.size + 1);
        if (!result.ok) return { ok: false, why: "disk", reason: result.reason };
      }
      for (const gone of evicted) state.settle(gone, leaves(gone));
      state.admit({ kind, id, at, payload });
      return { ok: true, evicted };
    },
    end(id, how) {
      if (!pending.has(id)) return { ok: true };
      const result = file
        ? append([{ type: "end", id, state: how, ...stamp() }], fsync === "all", pending.size - 1)
        : { ok: true as const };
      if (!result.ok) return result;
      state.settle(id, how);
      if (file && file.log.bytes > compactAbove) compact();
      return result;
    },
    forget() {
      for (const [id, { kind }] of [...pending]) if (kind === "ask") state.settle(id, "evicted");
      ended.clear();
      return file ? compact() : { ok: true };
    },
    overdue: () => [...pending.values()].filter(({ at }) => now() - at > maxAgeMillis).map(({ id }) => id),
    beat() {
      if (!file || pending.size === 0) return;
      append([{ type: "beat", ...stamp() }], false, pending.size);
      if (file.log.bytes > compactAbove) compact();
    },
    close() {
      try {
        if (file && pending.size > 0) append([{ type: "beat", ...stamp() }], fsync === "all", pending.size);
        file?.log.close();
      } finally {
        release();
      }
    },
  };
}
