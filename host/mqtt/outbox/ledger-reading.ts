import { closeSync, openSync, readSync } from "node:fs";
import { type LedgerEntry, NOT_DURABLE } from "./ledger.ts";
import { isNewState, readLedgerRooms } from "./ledger-room.ts";

/** `state` of a line that counts asks whose own lines are lost: `{"node": …, "state": "unrecorded", "asks": n}`. */
export const UNRECORDED = "unrecorded";
/** A longer line is no entry of ours. */
const MAX_LINE_BYTES = 4096;
const CHUNK_BYTES = 65_536;

/** Whose entries are read. Left out: those of every node. */
export interface LedgerFilter {
  readonly node?: string;
  readonly nodePrefix?: string;
}

/** A ledger's file as it was read. */
export interface LedgerReading {
  readonly states: Map<string, string>; // id → last state
  readonly entries: number; // of every node
  /** Lines that are no entry. A torn last one, which `kill -9` leaves, does not count. */
  readonly unreadable: number;
  /** Asks that no disk took: in memory alone, or evicted because their process ended. */
  readonly notDurable: number;
  /** Asks of which the ledger has only the number: a full disk took neither their lines nor their ids. */
  readonly unrecorded: number;
}

/** Reads a JSONL ledger: id → last state. Lines that are not ours (a torn last one) are skipped. */
export function readLedgerFile(path: string, filter: LedgerFilter = {}): Map<string, string> {
  return scanLedgerFile(path, filter).states;
}

/** Reads a JSONL ledger, and counts what in it is no entry. */
export function scanLedgerFile(path: string, { node, nodePrefix }: LedgerFilter = {}): LedgerReading {
  const states = new Map<string, string>();
  const notDurable = new Set<string>();
  let [entries, unreadable, unrecorded] = [0, 0, 0];
  const set = ({ id, state, reason }: Pick<LedgerEntry, "id" | "state" | "reason">) => {
    states.set(id, state);
    if (reason === NOT_DURABLE) notDurable.add(id);
    else notDurable.delete(id);
  };
  for (const { text, isWhole } of linesOf(path)) {
    const entry = entryOf(text);
    if (entry === undefined) {
      const count = unrecordedOf(text);
      if (count !== undefined) unrecorded += count;
      else if (isWhole && text.trim() !== "") unreadable++;
      continue;
    }
    entries++;
    if (node !== undefined && entry.node !== node) continue;
    if (nodePrefix !== undefined && !entry.node?.startsWith(nodePrefix)) continue;
    set(entry);
  }
  for (const room of readLedgerRooms(path)) {
    if (node !== undefined && room.node !== node) continue;
    if (nodePrefix !== undefined && !room.node.startsWith(nodePrefix)) continue;
    unrecorded += room.leftWithoutSlot;
    for (const line of room.left) if (isNewState(states.get(line.id), line.state)) set(line);
  }
  return { states, entries, unreadable, notDurable: notDurable.size, unrecorded };
}

/** id → last state of one node's asks: of those without an end, and of those that `isKnown`; so it takes no more room than they do. */
export function readStates(path: string, node: string, isKnown: (id: string) => boolean): Map<string, string> {
  const states = new Map<string, string>();
  for (const { text } of linesOf(path)) {
    const entry = entryOf(text);
    if (entry?.node !== node) continue;
    if (entry.state === "pending" || isKnown(entry.id)) states.set(entry.id, entry.state);
    else states.delete(entry.id);
  }
  return states;
}

/** The lines of a file of any size, read in pieces. The last has no line's end: it is empty, or torn. */
function* linesOf(path: string): Generator<{ readonly text: string; readonly isWhole: boolean }> {
  const file = openSync(path, "r");
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest = "";
    let count = readSync(file, chunk, 0, CHUNK_BYTES, null);
    for (; count > 0; count = readSync(file, chunk, 0, CHUNK_BYTES, null)) {
      const lines = (rest + chunk.toString("latin1", 0, count)).split("\n");
      rest = lines.pop()!.slice(0, MAX_LINE_BYTES + 1);
      for (const line of lines) yield { text: decoded(line), isWhole: true };
    }
    yield { text: decoded(rest), isWhole: false };
  } finally {
    closeSync(file);
  }
}

/** Bytes as text, once no character can be cut in two by a chunk's end. */
function decoded(latin1: string): string {
  return latin1.length > MAX_LINE_BYTES ? "too long" : Buffer.from(latin1, "latin1").toString("utf8");
}

function entryOf(line: string): (Pick<LedgerEntry, "id" | "state"> & Partial<LedgerEntry>) | undefined {
  const entry = objectOf(line);
  const { id, state, ...rest } = entry ?? {};
  if (typeof id !== "string" || typeof state !== "string" || !/^[0-9a-f]{32}$/.test(id)) return undefined;
  return { ...rest, id, state };
}

function unrecordedOf(line: string): number | undefined {
  const { state, asks } = objectOf(line) ?? {};
  return state === UNRECORDED && typeof asks === "number" && asks > 0 ? asks : undefined;
}

function objectOf(line: string): (Partial<LedgerEntry> & { readonly asks?: unknown }) | undefined {
  try {
    return JSON.parse(line) ?? undefined;
  } catch {
    return undefined;
  }
}
