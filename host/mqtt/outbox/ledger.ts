import type { AskState } from "../wire/ask.ts";

/** One line of a JSONL ledger: an ask entered a state at this end. The last line of an id counts. */
export interface LedgerEntry {
  readonly id: string;
  readonly node: string;
  readonly state: string;
  readonly wallMillis: number;
  /** NOT_DURABLE, or left out. */
  readonly reason?: string;
}

/** `reason` of an ask that no disk took: pending in memory alone, or evicted because its process ended. */
export const NOT_DURABLE = "not durable";

/** Where a ledger is also written, so that both ends can be compared after their processes are gone. */
export interface LedgerSink {
  append(entry: LedgerEntry): void;
  /**
   * What earlier processes wrote of this node's asks, id → last state: of those without an end, and of those that `isKnown`. Left out:
   * nobody knows.
   */
  earlier?(node: string, isKnown: (id: string) => boolean): ReadonlyMap<string, string>;
  close(): void;
}

/** What became of each ask: the last `entries` ids, and how many were forgotten. Pending ids are never forgotten. */
export interface Ledger<S extends string> {
  readonly map: ReadonlyMap<string, S>;
  readonly forgotten: number;
  set(id: string, node: string, state: S, reason?: string): void;
  /** Like `set`, but for entries that the sink already holds. */
  restore(id: string, state: S): void;
}

export function createLedger<S extends string>(options: {
  readonly entries: number;
  readonly isOpen: (state: S) => boolean;
  readonly wall: () => number;
  readonly sink?: LedgerSink | undefined;
}): Ledger<S> {
  const map = new Map<string, S>();
  let forgotten = 0;
  const remember = (id: string, state: S) => {
    map.set(id, state);
    if (map.size <= options.entries) return;
    for (const [oldest, its] of map) {
      if (options.isOpen(its)) continue;
      map.delete(oldest);
      forgotten++;
      return;
    }
  };
  return {
    map,
    get forgotten() {
      return forgotten;
    },
    set(id, node, state, reason) {
      const entry = { id, node, state, wallMillis: options.wall() };
      options.sink?.append(reason === undefined ? entry : { ...entry, reason });
      remember(id, state);
    },
    restore: remember,
  };
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
