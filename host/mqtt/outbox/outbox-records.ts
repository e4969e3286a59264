import type { AskEnd } from "../wire/ask.ts";
import { MAX_BODY_BYTES } from "./recover-log.ts";

/** How an entry leaves the outbox: an ask as AskEnd says, an alarm delivered or not. */
export type OutboxEnd = AskEnd | "delivered" | "undelivered";
/** What waits in an outbox: in the order in which it is given up, last the most urgent. */
export type OutboxKind = "ask" | "alarm";

/** What waits in the outbox. */
export interface OutboxEntry {
  readonly kind: OutboxKind;
  readonly id: string; // 32 hex digits
  readonly at: number; // log time when it came: its age is `now() - at`
  readonly payload: Uint8Array; // CBOR
}

/**
 * Bodies of the log, little-endian, all with one head:
 *
 * | bytes | what                                                                          |
 * |-------|-------------------------------------------------------------------------------|
 * | 1     | 1 ask, 2 end, 3 alarm, 4 epoch, 5 beat                                        |
 * | 16    | id; of an epoch the machine's boot id, zeros if nameless; of a beat zeros    |
 * | 8     | f64 log time, ms                                                              |
 * | 8     | f64 wall time, ms                                                             |
 * | rest  | ask, alarm: payload · end: u8 index into ENDS · epoch: f64 steady time, ms · beat: u8 0 |
 */
export type OutboxRecord =
  | {
      readonly type: "entry";
      readonly kind: OutboxKind;
      readonly id: string;
      readonly at: number;
      readonly wall: number;
      readonly payload: Uint8Array;
    }
  | { readonly type: "end"; readonly id: string; readonly at: number; readonly wall: number; readonly state: OutboxEnd }
  | { readonly type: "epoch"; readonly boot: string; readonly at: number; readonly wall: number; readonly steady: number }
  | { readonly type: "beat"; readonly at: number; readonly wall: number };

const ASK = 1;
const END = 2;
const ALARM = 3;
const EPOCH = 4;
const BEAT = 5;
const HEAD_BYTES = 33;
const ENDS: readonly OutboxEnd[] = ["answered", "expired", "refused", "evicted", "delivered", "undelivered"];
const NO_ID = "0".repeat(32);

/** Largest payload of an entry. */
export const MAX_ENTRY_BYTES = MAX_BODY_BYTES - HEAD_BYTES;
/** A record that ends an entry, on the medium: what is kept free for each that is pending. */
export const END_RECORD_BYTES = 8 + HEAD_BYTES + 1;

export function writeRecord(record: OutboxRecord): Uint8Array {
  const { at, wall } = record;
  switch (record.type) {
    case "entry":
      return body(record.kind === "ask" ? ASK : ALARM, record.id, at, wall, record.payload);
    case "end":
      return body(END, record.id, at, wall, Uint8Array.of(ENDS.indexOf(record.state)));
    case "epoch":
      return body(EPOCH, record.boot, at, wall, new Uint8Array(Float64Array.of(record.steady).buffer));
    case "beat":
      return body(BEAT, NO_ID, at, wall, Uint8Array.of(0));
  }
}

/** Any body whose CRC holds; undefined for one that a later version wrote or that makes no sense. */
export function readRecord(bytes: Uint8Array): OutboxRecord | undefined {
  if (bytes.length <= HEAD_BYTES) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [type, id, at, wall] = [view[0], view.toString("hex", 1, 17), view.readDoubleLE(17), view.readDoubleLE(25)];
  if (!Number.isFinite(at) || !Number.isFinite(wall)) return undefined;
  if (type === ASK || type === ALARM) {
    return { type: "entry", kind: type === ASK ? "ask" : "alarm", id, at, wall, payload: Uint8Array.from(view.subarray(HEAD_BYTES)) };
  }
  if (type === END) {
    const state = ENDS[view[HEAD_BYTES]!];
    return state === undefined ? undefined : { type: "end", id, at, wall, state };
  }
  if (type === EPOCH && view.length === HEAD_BYTES + 8) {
    const steady = view.readDoubleLE(HEAD_BYTES);
    return Number.isFinite(steady) ? { type: "epoch", boot: id, at, wall, steady } : undefined;
  }
  return type === BEAT ? { type: "beat", at, wall } : undefined;
}

function body(type: number, id: string, at: number, wall: number, rest: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + rest.length).fill(0, 0, HEAD_BYTES);
  bytes.writeUInt8(type, 0);
  bytes.write(id, 1, "hex");
  bytes.writeDoubleLE(at, 17);
  bytes.writeDoubleLE(wall, 25);
  bytes.set(rest, HEAD_BYTES);
  return bytes;
}
