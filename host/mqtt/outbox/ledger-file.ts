import * as nodeFs from "node:fs";
import { MqttError } from "../../core/system/errors.ts";
import { closeToOthers, PRIVATE_MODE, systemReason } from "../../core/system/private-file.ts";
import type { LedgerEntry, LedgerSink } from "./ledger.ts";
import { readStates, UNRECORDED } from "./ledger-reading.ts";
import { isNewState, type LedgerFs, openLedgerRoom, roomPath } from "./ledger-room.ts";

/** A ledger as a JSONL file. */
export interface LedgerFile extends LedgerSink {
  /** Lines given up, and lines that wait for room: after `close` those that the file lacks. */
  readonly failed: number;
  readonly waiting: number;
  /** Tries again to write what waits. */
  flush(): void;
}

/** Lines that wait for a disk with room; one more is lost, and counted. */
const MAX_UNWRITTEN_LINES = 16_384;

/**
 * Appends to a JSONL file, one line a write, so that `kill -9` leaves whole lines but for the last. A full disk stops the ledger, not
 * the agent: lines wait in memory until there is room; a line that was cut is closed and written again. With `node`, whose asks this
 * process alone writes here, lines that wait outlive a kill as well: in a small file beside the ledger, made while there is room.
 */
export function openLedgerFile(
  path: string,
  options: {
    readonly node?: string;
    readonly fs?: LedgerFs;
    /** A line was not written, the first since the last one that was. */
    readonly onTrouble?: (reason: string) => void;
  } = {},
): LedgerFile {
  const { node, fs = nodeFs } = options;
  let descriptor: number | undefined;
  let failed = 0;
  let left = 0; // lines that waited when it was closed
  let isInTrouble = false;
  let unrecorded = 0; // asks whose first line was given up
  let isTorn = false; // the file does not end with a whole line
  let isOnDisk = false; // neither a device nor a pipe
  const unwritten: LedgerEntry[] = [];
  try {
    descriptor = fs.openSync(path, "a+", PRIVATE_MODE);
    const stats = fs.fstatSync(descriptor);
    const { size } = stats;
    isOnDisk = stats.isFile();
    if (!isOnDisk) fs.writeSync(descriptor, new Uint8Array(0)); // only a disk gets room later: /dev/full never does
    closeToOthers(descriptor, stats);
    const last = new Uint8Array(1);
    isTorn = size > 0 && fs.readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
  } catch (cause) {
    if (descriptor !== undefined) fs.closeSync(descriptor);
    throw new MqttError(
      "LEDGER_UNWRITABLE",
      `the ledger ${path} cannot be written: ${systemReason(cause)}. Name a file in a folder that exists, on a disk with room.`,
      { cause },
    );
  }
  const room = node === undefined || !isOnDisk ? undefined : openLedgerRoom(roomPath(path, node), fs);

  const trouble = (reason: string) => {
    if (!isInTrouble) options.onTrouble?.(reason);
    isInTrouble = true;
  };
  /** Writes a line; false where the disk takes none, or not all of it. */
  const write = (line: string): boolean => {
    if (descriptor === undefined) return false;
    try {
      const bytes = Buffer.from(`${isTorn ? "\n" : ""}${line}\n`);
      const written = fs.writeSync(descriptor, bytes);
      if (written > 0) isTorn = written < bytes.length;
      if (written === bytes.length) isInTrouble = false;
      else trouble("a part of a line was written");
      return written === bytes.length;
    } catch (cause) {
      trouble(systemReason(cause));
      return false;
    }
  };
  const flush = () => {
    for (let entry = unwritten[0]; entry !== undefined; entry = unwritten[0]) {
      if (!write(JSON.stringify(entry))) return;
      unwritten.shift();
      room?.release(entry);
    }
    if (unrecorded === 0 || !write(JSON.stringify({ node, state: UNRECORDED, asks: unrecorded }))) return;
    unrecorded = 0;
    room?.releaseCount();
  };
  const append = (entry: LedgerEntry) => {
    if (descriptor === undefined) return;
    const isKept = unwritten.length < MAX_UNWRITTEN_LINES;
    if (isKept) unwritten.push(entry);
    else {
      failed++;
      if (entry.state === "pending") unrecorded++;
    }
    flush();
    if (unwritten.at(-1) === entry) room?.keep(entry);
  };
  const takeUp = () => {
    if (room === undefined || node === undefined) return;
    unrecorded = room.leftWithoutSlot;
    const ids = new Set(room.left.map(({ id }) => id));
    const written = ids.size === 0 ? new Map<string, string>() : readStates(path, node, (id) => ids.has(id));
    for (const line of room.left) {
      if (isNewState(written.get(line.id), line.state)) append({ ...line, node });
      else room.release({ ...line, node });
    }
    flush();
  };
  takeUp();

  return {
    get failed() {
      return failed;
    },
    get waiting() {
      return unwritten.length + left;
    },
    append,
    earlier(of, isKnown) {
      const states = isOnDisk ? readStates(path, of, isKnown) : new Map<string, string>(); // reading a pipe would wait for ever
      for (const entry of unwritten) if (entry.node === of) states.set(entry.id, entry.state);
      return states;
    },
    flush,
    close() {
      if (descriptor === undefined) return;
      flush();
      const lines = unwritten.splice(0).length;
      if (room === undefined) failed += lines;
      else left = lines; // the next start takes them up from the room
      try {
        room?.close();
      } finally {
        fs.closeSync(descriptor);
        descriptor = undefined;
      }
    },
  };
}

const NEWLINE = 0x0a;
