import type { LogMark } from "./log-time.ts";
import { type OutboxEnd, type OutboxEntry, readRecord } from "./outbox-records.ts";

/** Ended ids that are remembered, so that a late answer after a restart is known as such. */
const RETAINED_ENDS = 256;

/** What an outbox holds. `mark`: where the log left its time. */
export interface OutboxState {
  readonly pending: Map<string, OutboxEntry>;
  readonly ended: Map<string, OutboxEnd>;
  bytes: number;
  mark: LogMark | undefined;
  admit(entry: OutboxEntry): void;
  settle(id: string, how: OutboxEnd): void;
}

/** The state that a log's records add up to. */
export function replay(bodies: readonly Uint8Array[]): OutboxState {
  const pending = new Map<string, OutboxEntry>();
  const ended = new Map<string, OutboxEnd>();
  const state: OutboxState = {
    pending,
    ended,
    bytes: 0,
    mark: undefined,
    admit(entry) {
      pending.set(entry.id, entry);
      state.bytes += entry.payload.length;
    },
    settle(id, how) {
      state.bytes -= pending.get(id)?.payload.length ?? 0;
      pending.delete(id);
      ended.set(id, how);
      if (ended.size > RETAINED_ENDS) ended.delete(ended.keys().next().value!);
    },
  };
  let epoch = { boot: "", steady: 0, at: 0 };
  for (const body of bodies) {
    const record = readRecord(body);
    if (record === undefined) continue; // of a later version, its CRC intact
    if (record.type === "epoch") epoch = record;
    else if (record.type === "end") state.settle(record.id, record.state);
    else if (record.type === "entry" && !pending.has(record.id) && !ended.has(record.id)) {
      const { kind, id, at, payload } = record;
      state.admit({ kind, id, at, payload });
    }
    const lastAt = Math.max(record.at, state.mark?.lastAt ?? 0);
    state.mark = { boot: epoch.boot, epochSteady: epoch.steady, epochAt: epoch.at, lastAt, lastWall: record.wall };
  }
  return state;
}
