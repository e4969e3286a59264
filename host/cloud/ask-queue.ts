import type { ReplyTo } from "./ask-check.ts";
import type { CloudQuery } from "./provider.ts";

/** An admitted ask that waits for a batch. */
export interface QueuedAsk {
  readonly key: string; // node and id
  readonly to: ReplyTo;
  readonly query: CloudQuery;
}

/** A bounded queue, earliest deadline first: a binary heap. Whoever is over the bound is told, not forgotten. */
export interface AskQueue {
  readonly size: number;
  /** How many of the asks here are due no later than that. */
  aheadOf(deadlineAtMillis: number): number;
  /** False when the queue is full. */
  push(ask: QueuedAsk): boolean;
  /** The most urgent asks, at most `count`; `onExpired` gets those whose time is over. */
  take(count: number, nowMillis: number, onExpired: (ask: QueuedAsk) => void): QueuedAsk[];
}

export function createAskQueue(limit: number): AskQueue {
  const heap: QueuedAsk[] = [];
  const at = (i: number) => heap[i]?.query.deadlineAtMillis ?? Number.POSITIVE_INFINITY;
  const swap = (i: number, j: number) => {
    [heap[i], heap[j]] = [heap[j]!, heap[i]!];
  };
  const pop = (): QueuedAsk | undefined => {
    if (heap.length === 0) return undefined;
    swap(0, heap.length - 1);
    const first = heap.pop();
    for (let i = 0; ; ) {
      const child = at(2 * i + 1) <= at(2 * i + 2) ? 2 * i + 1 : 2 * i + 2;
      if (at(i) <= at(child)) return first;
      swap(i, child);
      i = child;
    }
  };
  return {
    get size() {
      return heap.length;
    },
    aheadOf(deadlineAtMillis) {
      let ahead = 0;
      for (const { query } of heap) if (query.deadlineAtMillis <= deadlineAtMillis) ahead++;
      return ahead;
    },
    push(ask) {
      if (heap.length >= limit) return false;
      let i = heap.push(ask) - 1;
      for (let parent = (i - 1) >> 1; i > 0 && at(parent) > at(i); parent = (i - 1) >> 1) {
        swap(i, parent);
        i = parent;
      }
      return true;
    },
    take(count, nowMillis, onExpired) {
      const taken: QueuedAsk[] = [];
      while (taken.length < count) {
        const ask = pop();
        if (!ask) break;
        if (ask.query.deadlineAtMillis <= nowMillis) onExpired(ask);
        else taken.push(ask);
      }
      return taken;
    },
  };
}
