import type { Clock } from "../core/system/clock.ts";

/** Asks of one node that may come to nothing (refused, repeated, malformed): so many at once, then so many per second. A node has 32 asks on their way. */
const BURST = 64;
const PER_SECOND = 8;
/** Nodes that are remembered; of more, the one that wasted nothing for longest is forgotten. */
const MAX_NODES = 4096;

/**
 * A token bucket per node for asks that came to nothing. Reading an ask and saying no costs a worker about a millisecond, whatever
 * the asker sends; a node that has used its bucket up goes unread until a token is back, and the others keep the time.
 */
export interface NodeAllowance {
  isUsedUp(node: string): boolean;
  /** An ask of this node came to nothing. */
  use(node: string): void;
}

export function createNodeAllowance(clock: Pick<Clock, "now">): NodeAllowance {
  const buckets = new Map<string, { tokens: number; at: number }>(); // least recently used first
  const refilled = (node: string) => {
    const { tokens, at } = buckets.get(node) ?? { tokens: BURST, at: clock.now() };
    return Math.min(BURST, tokens + ((clock.now() - at) * PER_SECOND) / 1000);
  };
  return {
    isUsedUp: (node) => buckets.has(node) && refilled(node) < 1,
    use(node) {
      const tokens = Math.max(0, refilled(node) - 1);
      buckets.delete(node);
      buckets.set(node, { tokens, at: clock.now() });
      if (buckets.size > MAX_NODES) buckets.delete(buckets.keys().next().value!);
    },
  };
}
