import * as nodeFs from "node:fs";
import { basename, dirname, join } from "node:path";
import { crc32 } from "../../core/arithmetic/crc32.ts";
import { PRIVATE_MODE } from "../../core/system/private-file.ts";
import { ASK_STATES, type AskState } from "../wire/ask.ts";
import { type LedgerEntry, NOT_DURABLE } from "./ledger.ts";

/** The file calls that a ledger and its room make; injected so that a test can fill the disk. */
export type LedgerFs = Pick<typeof nodeFs, "openSync" | "writeSync" | "readSync" | "fstatSync" | "closeSync" | "unlinkSync">;

/** A line that found no room in the ledger when its process ended. */
export interface LeftLine {
  readonly id: string;
  readonly state: AskState;
  readonly wallMillis: number;
  readonly reason?: string;
}

/**
 * Room for the lines that a full disk keeps out of a ledger, so that `kill -9` does not lose them: a file of fixed size whose blocks
 * are taken while the disk has some, and that is written in place. One slot per ask, with its last state.
 */
export interface LedgerRoom {
  /** What an earlier process left here. */
  readonly left: readonly LeftLine[];
  /** Asks of an earlier process that found no slot either: their ids are lost. */
  readonly leftWithoutSlot: number;
  /** Keeps a line that waits. */
  keep(entry: LedgerEntry): void;
  /** The ledger has taken this line. */
  release(entry: LedgerEntry): void;
  /** Adds the asks that found no slot to the ledger. */
  releaseCount(): void;
  close(): void;
}

const SLOT_BYTES = 32; // divides a page: a write in place is whole or not there
const SLOTS = 1023;
const ROOM_BYTES = SLOT_BYTES * (SLOTS + 1); // the first slot holds the count of those without one
const SUFFIX = ".room";
const MAGIC = 0x314c5244; // "DRL1", little-endian

/** The room of a node's lines in a ledger: a hidden file beside it. */
export function roomPath(ledger: string, node: string): string {
  return join(dirname(ledger), `.${basename(ledger)}.${node}${SUFFIX}`);
}

/** Whether a spare line is newer than the ledger's last one. */
export function isNewState(inLedger: string | undefined, left: AskState): boolean {
  return inLedger === undefined || (inLedger === "pending" && left !== "pending");
}

/** What waits in the rooms of a ledger, of every node; nothing is changed. */
export function readLedgerRooms(ledger: string): (Pick<LedgerRoom, "left" | "leftWithoutSlot"> & { readonly node: string })[] {
  const prefix = `.${basename(ledger)}.`;
  const names = nodeFs.readdirSync(dirname(ledger)).filter((name) => name.startsWith(prefix) && name.endsWith(SUFFIX));
  return names.flatMap((name) => {
    try {
      const bytes = nodeFs.readFileSync(join(dirname(ledger), name));
      return bytes.length === ROOM_BYTES ? { node: name.slice(prefix.length, -SUFFIX.length), ...readSlots(bytes) } : [];
    } catch {
      return []; // another user's, or gone meanwhile
    }
  });
}

/**
 * Slots, little-endian: 16 B id · u8 index into ASK_STATES · u8 1 if not durable · 2 B zero · f64 wall time, ms · u32 CRC-32 of these 28 bytes.
 * The first: u32 magic · u32 asks without a slot · 20 B zero · u32 CRC-32. A slot whose CRC differs is free.
 */
export function openLedgerRoom(path: string, fs: LedgerFs = nodeFs): LedgerRoom | undefined {
  const opened = open(path, fs);
  if (opened === undefined) return undefined;
  const { descriptor, bytes } = opened;
  const found = readSlots(bytes);
  const slotOf = new Map<string, { readonly slot: number; state: string }>();
  for (const [slot, { id, state }] of found.bySlot) slotOf.set(id, { slot, state });
  const free = Array.from({ length: SLOTS }, (_, i) => SLOTS - i).filter((slot) => !found.bySlot.has(slot));
  const withoutSlot = new Set<string>();
  let carried = found.leftWithoutSlot;

  const write = (slot: number, content: Uint8Array) => {
    try {
      fs.writeSync(descriptor, content, 0, SLOT_BYTES, slot * SLOT_BYTES);
    } catch {
      // A medium that refuses even this: the line waits in memory alone.
    }
  };
  const writeCount = () => write(0, headerOf(carried + withoutSlot.size));

  return {
    left: found.left,
    leftWithoutSlot: found.leftWithoutSlot,
    keep(entry) {
      const state = ASK_STATES.indexOf(entry.state as AskState);
      if (state < 0 || withoutSlot.has(entry.id)) return;
      const slot = slotOf.get(entry.id)?.slot ?? free.pop();
      if (slot === undefined) {
        withoutSlot.add(entry.id);
        return writeCount();
      }
      slotOf.set(entry.id, { slot, state: entry.state });
      write(slot, slotBytes(entry, state));
    },
    release({ id, state }) {
      if (withoutSlot.delete(id)) return writeCount();
      const held = slotOf.get(id);
      if (held?.state !== state) return; // a later line of this ask waits still
      slotOf.delete(id);
      free.push(held.slot);
      write(held.slot, new Uint8Array(SLOT_BYTES));
    },
    releaseCount() {
      carried = 0;
      writeCount();
    },
    close: () => fs.closeSync(descriptor),
  };
}

function open(path: string, fs: LedgerFs): { readonly descriptor: number; readonly bytes: Buffer } | undefined {
  const bytes = Buffer.alloc(ROOM_BYTES);
  let descriptor: number | undefined;
  try {
    const { O_RDWR, O_CREAT, O_NOFOLLOW = 0 } = nodeFs.constants; // a link of that name, whoever laid it there, is an error
    descriptor = fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, PRIVATE_MODE);
    if (fs.fstatSync(descriptor).size === ROOM_BYTES) fs.readSync(descriptor, bytes, 0, ROOM_BYTES, 0);
    else {
      bytes.set(headerOf(0));
      for (let at = 0; at < ROOM_BYTES; ) at += fs.writeSync(descriptor, bytes, at, ROOM_BYTES - at, at);
    }
    return { descriptor, bytes };
  } catch {
    // No room for it (the disk is full already), or no such folder: the ledger does without.
    if (descriptor === undefined) return undefined;
    fs.closeSync(descriptor);
    fs.unlinkSync(path);
    return undefined;
  }
}

function readSlots(bytes: Buffer) {
  const bySlot = new Map<number, LeftLine>();
  for (let slot = 1; slot <= SLOTS; slot++) {
    const line = readSlot(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES));
    if (line !== undefined) bySlot.set(slot, line);
  }
  const left = [...bySlot.values()].sort((a, b) => a.wallMillis - b.wallMillis);
  return { bySlot, left, leftWithoutSlot: readHeader(bytes.subarray(0, SLOT_BYTES)) };
}

function slotBytes({ id, wallMillis, reason }: LedgerEntry, state: number): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.write(id, 0, "hex");
  bytes.writeUInt8(state, 16);
  bytes.writeUInt8(reason === NOT_DURABLE ? 1 : 0, 17);
  bytes.writeDoubleLE(wallMillis, 20);
  return sealed(bytes);
}

function readSlot(bytes: Buffer): LeftLine | undefined {
  if (!isSealed(bytes)) return undefined;
  const state = ASK_STATES[bytes[16]!];
  if (state === undefined) return undefined;
  const line = { id: bytes.toString("hex", 0, 16), state, wallMillis: bytes.readDoubleLE(20) };
  return bytes[17] === 1 ? { ...line, reason: NOT_DURABLE } : line;
}

function headerOf(count: number): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(count, 4);
  return sealed(bytes);
}

function readHeader(bytes: Buffer): number {
  return isSealed(bytes) && bytes.readUInt32LE(0) === MAGIC ? bytes.readUInt32LE(4) : 0;
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, SLOT_BYTES - 4)), SLOT_BYTES - 4);
  return bytes;
}

function isSealed(bytes: Buffer): boolean {
  return bytes.readUInt32LE(SLOT_BYTES - 4) === crc32(bytes.subarray(0, SLOT_BYTES - 4));
}
