import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
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

/** Appends to a JSONL file, one line a write, so that `kill -9` leaves whole lines. A full disk stops the ledger, not the agent. */
export function openLedgerFile(path: string): LedgerSink & { readonly failed: number } {
  let descriptor: number | undefined;
  let failed = 0;
  try {
    descriptor = openSync(path, "a");
  } catch (cause) {
    throw new MqttError(
      "LEDGER_UNWRITABLE",
      `the ledger ${path} cannot be opened: ${(cause as Error).message}. Name a file in a folder that exists.`,
      { cause },
    );
  }
  return {
    get failed() {
      return failed;
    },
    append(entry) {
      if (descriptor === undefined) return;
      try {
        writeSync(descriptor, `${JSON.stringify(entry)}\n`);
      } catch {
        failed++;
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** Reads a JSONL ledger: id → last state, default of every node. Lines that are not ours (a torn last one) are skipped. */
export function readLedgerFile(path: string, options: { readonly node?: string } = {}): Map<string, string> {
  const ledger = new Map<string, string>();
  for (const line of readFileSync(path, "utf8").split("\n")) {
    let entry: Partial<LedgerEntry> | null;
    try {
      entry = JSON.parse(line);
    } catch {
      continue;
    }
    if (typeof entry?.id !== "string" || typeof entry.state !== "string" || !/^[0-9a-f]{32}$/.test(entry.id)) continue;
    if (options.node === undefined || entry.node === options.node) ledger.set(entry.id, entry.state);
  }
  return ledger;
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
