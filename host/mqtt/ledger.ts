import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { MqttError } from "../core/errors.ts";
import type { AskState } from "./types.ts";

/** One line of a JSONL ledger: an ask entered a state at this end. The last line of an id counts. */
export interface LedgerEntry {
  readonly id: string;
  readonly node: string;
  readonly state: string;
  readonly wallMillis: number;
}

/** Where a ledger is also written, so that both ends can be compared after their processes are gone. */
export interface LedgerSink {
  append(entry: LedgerEntry): void;
  close(): void;
}

/** What became of each ask: the last `entries` ids, and how many were forgotten. Pending ids are never forgotten. */
export interface Ledger<S extends string> {
  readonly map: ReadonlyMap<string, S>;
  readonly forgotten: number;
  set(id: string, node: string, state: S): void;
}

export function createLedger<S extends string>(options: {
  readonly entries: number;
  readonly isOpen: (state: S) => boolean;
  readonly wall: () => number;
  readonly sink?: LedgerSink | undefined;
}): Ledger<S> {
  const map = new Map<string, S>();
  let forgotten = 0;
  return {
    map,
    get forgotten() {
      return forgotten;
    },
    set(id, node, state) {
      map.set(id, state);
      options.sink?.append({ id, node, state, wallMillis: options.wall() });
      if (map.size <= options.entries) return;
      for (const [oldest, its] of map) {
        if (options.isOpen(its)) continue;
        map.delete(oldest);
        forgotten++;
        return;
      }
    },
  };
}

/** A ledger as a JSONL file. */
export interface LedgerFile extends LedgerSink {
  /** Lines given up, and lines that wait for room. */
  readonly failed: number;
  readonly waiting: number;
  /** Tries again to write what waits. */
  flush(): void;
}

/** Lines that wait for a disk with room; one more is lost, and counted. */
const MAX_UNWRITTEN_LINES = 16_384;

/**
 * Appends to a JSONL file, one line a write, so that `kill -9` leaves whole lines but for the last. A full disk stops the ledger, not
 * the agent: lines wait in memory until there is room; a line that was cut is closed and written again.
 */
export function openLedgerFile(path: string): LedgerFile {
  let descriptor: number | undefined;
  let failed = 0;
  let isTorn = false; // the file does not end with a whole line
  const unwritten: string[] = [];
  try {
    descriptor = openSync(path, "a+");
    const { size } = fstatSync(descriptor);
    const last = new Uint8Array(1);
    isTorn = size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
  } catch (cause) {
    throw new MqttError(
      "LEDGER_UNWRITABLE",
      `the ledger ${path} cannot be opened: ${(cause as Error).message}. Name a file in a folder that exists.`,
      { cause },
    );
  }
  const flush = () => {
    try {
      while (descriptor !== undefined && unwritten.length > 0) {
        const bytes = Buffer.from(`${isTorn ? "\n" : ""}${unwritten[0]}\n`);
        const written = writeSync(descriptor, bytes);
        if (written === 0) return;
        isTorn = written < bytes.length;
        if (!isTorn) unwritten.shift();
      }
    } catch {
      // Tried again with the next line.
    }
  };
  return {
    get failed() {
      return failed;
    },
    get waiting() {
      return unwritten.length;
    },
    append(entry) {
      if (descriptor === undefined) return;
      if (unwritten.length >= MAX_UNWRITTEN_LINES) failed++;
      else unwritten.push(JSON.stringify(entry));
      flush();
    },
    flush,
    close() {
      flush();
      failed += unwritten.splice(0).length;
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

const NEWLINE = 0x0a;

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
}

/** Reads a JSONL ledger: id → last state. Lines that are not ours (a torn last one) are skipped. */
export function readLedgerFile(path: string, filter: LedgerFilter = {}): Map<string, string> {
  return scanLedgerFile(path, filter).states;
}

/** Reads a JSONL ledger, and counts what in it is no entry. */
export function scanLedgerFile(path: string, { node, nodePrefix }: LedgerFilter = {}): LedgerReading {
  const states = new Map<string, string>();
  let entries = 0;
  let unreadable = 0;
  const lines = readFileSync(path, "utf8").split("\n");
  for (const [i, line] of lines.entries()) {
    const entry = entryOf(line);
    if (entry === undefined) {
      if (i < lines.length - 1 && line.trim() !== "") unreadable++; // the last has no line's end: it is empty, or torn
      continue;
    }
    entries++;
    if (node !== undefined && entry.node !== node) continue;
    if (nodePrefix !== undefined && !entry.node?.startsWith(nodePrefix)) continue;
    states.set(entry.id, entry.state);
  }
  return { states, entries, unreadable };
}

function entryOf(line: string): (Pick<LedgerEntry, "id" | "state"> & Partial<LedgerEntry>) | undefined {
  let entry: Partial<LedgerEntry> | null;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { id, state, ...rest } = entry ?? {};
  if (typeof id !== "string" || typeof state !== "string" || !/^[0-9a-f]{32}$/.test(id)) return undefined;
  return { ...rest, id, state };
}

/** Both ends of every ask, side by side. */
export interface LedgerComparison extends Readonly<Record<AskState, number>> {
  readonly asked: number;
  /** Ids in either ledger that are in no state at the asking end. */
  readonly lost: number;
  readonly lostIds: readonly string[]; // the first 100
  readonly unknownAtEdge: number; // the cloud has them, the edge never asked
  readonly neverAtCloud: number; // asked, but no worker saw them
}

/**
 * Compares the asking end's ledger with the cloud's. `lost` is what is in no state at the edge, never a subtraction. Give it one
 * node's ids on both sides, or every node's on both.
 */
export function compareLedgers(edge: ReadonlyMap<string, string>, cloud: ReadonlyMap<string, string>): LedgerComparison {
  const counts: Record<AskState, number> = { pending: 0, answered: 0, expired: 0, refused: 0, evicted: 0 };
  const lostIds: string[] = [];
  let neverAtCloud = 0;
  for (const [id, state] of edge) {
    if (Object.hasOwn(counts, state)) counts[state as AskState]++;
    else lostIds.push(id);
    if (!cloud.has(id)) neverAtCloud++;
  }
  const unknown = [...cloud.keys()].filter((id) => !edge.has(id));
  lostIds.push(...unknown);
  return {
    asked: edge.size,
    ...counts,
    lost: lostIds.length,
    lostIds: lostIds.slice(0, 100),
    unknownAtEdge: unknown.length,
    neverAtCloud,
  };
}
