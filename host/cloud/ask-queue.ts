import type { ReplyTo } from "./ask-check.ts";
import type { CloudQuery, CloudTextQuery } from "./provider.ts";

/** An admitted ask that waits for a batch. */
export interface QueuedAsk {
  readonly key: string; // site, node and id
  /** Whose turn it takes: site and node of its topic, which the broker's access list guards. */
  readonly node: string;
  readonly to: ReplyTo;
  readonly query: CloudQuery | CloudTextQuery;
  /** Its rank among the node's own asks and in a tie, on the worker's clock: the deadline, but no sooner than a floor after its arrival. */
  readonly dueAtMillis: number;
}

/** A bounded queue, fair among nodes. An ask above the bound is refused, not dropped. */
export interface AskQueue {
  readonly size: number;
  /** How many of the asks here would be taken before one of `node` that is due then. */
  aheadOf(node: string, dueAtMillis: number): number;
  /** In a full queue a newcomer takes the place of the last ask of the longest line, which is handed back; of its own node's line it takes none. */
  push(ask: QueuedAsk): { readonly ok: boolean; readonly evicted?: QueuedAsk };
  /** The next asks by turn, at most `count`, of one node at most `share`; `onExpired` gets those whose time is over. */
  take(count: number, share: number, nowMillis: number, onExpired: (ask: QueuedAsk) => void): QueuedAsk[];
}

/** The asks of one node, earliest due first. `turn`: the virtual time at which its next one starts. */
interface Line {
  readonly asks: QueuedAsk[];
  turn: number;
}

const isBefore = (a: Line, b: Line): boolean => a.turn < b.turn || (a.turn === b.turn && a.asks[0]!.dueAtMillis < b.asks[0]!.dueAtMillis);

/**
 * Start-time fair queueing among nodes with one ask as the unit (Goyal, Vin, Cheng 1996), earliest deadline first within a node and
 * in ties: a node that floods waits behind itself, and a node that comes anew is next in turn.
 */
export function createAskQueue(limit: number): AskQueue {
  const lines = new Map<string, Line>(); // of nodes that have asks here
  let virtualNow = 0;
  let size = 0;

  /** How many of a line are due no later than that. */
  function countDue({ asks }: Line, dueAtMillis: number): number {
    let [low, high] = [0, asks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (asks[middle]!.dueAtMillis <= dueAtMillis) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function longest(): Line | undefined {
    let found: Line | undefined;
    for (const line of lines.values()) if (line.asks.length > (found?.asks.length ?? 0)) found = line;
    return found;
  }

  function nextLine(isEligible: (node: string) => boolean): [node: string, line: Line] | undefined {
    let next: [string, Line] | undefined;
    for (const entry of lines) {
      if (!isEligible(entry[0])) continue;
      if (next === undefined || isBefore(entry[1], next[1])) next = entry;
    }
    return next;
  }

  return {
    get size() {
      return size;
    },
    aheadOf(node, dueAtMillis) {
      const own = lines.get(node);
      const before = own === undefined ? 0 : countDue(own, dueAtMillis);
      const start = (own?.turn ?? virtualNow) + before;
      let ahead = before;
      for (const line of lines.values()) {
        if (line !== own) ahead += Math.min(line.asks.length, Math.max(0, start - line.turn + 1));
      }
      return ahead;
    },
    push(ask) {
      const line = lines.get(ask.node) ?? { asks: [], turn: virtualNow };
      let evicted: QueuedAsk | undefined;
      if (size >= limit) {
        const other = longest();
        if (other === undefined || other.asks.length <= line.asks.length + 1) return { ok: false };
        evicted = other.asks.pop();
        size--;
      }
      line.asks.splice(countDue(line, ask.dueAtMillis), 0, ask);
      lines.set(ask.node, line);
      size++;
      return evicted === undefined ? { ok: true } : { ok: true, evicted };
    },
    take(count, share, nowMillis, onExpired) {
      const taken: QueuedAsk[] = [];
      const takenOf = new Map<string, number>();
      while (taken.length < count) {
        const next = nextLine((node) => (takenOf.get(node) ?? 0) < share);
        if (next === undefined) break;
        const [node, line] = next;
        const ask = line.asks.shift()!;
        size--;
        if (line.asks.length === 0) lines.delete(node);
        if (ask.query.deadlineAtMillis <= nowMillis) onExpired(ask);
        else {
          virtualNow = Math.max(virtualNow, line.turn++);
          taken.push(ask);
          takenOf.set(node, (takenOf.get(node) ?? 0) + 1);
        }
      }
      return taken;
    },
  };
}
