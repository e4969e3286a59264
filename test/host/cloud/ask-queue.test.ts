import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAskQueue, type QueuedAsk } from "../../../host/cloud/ask-queue.ts";

const ask = (node: string, dueAtMillis: number, deadlineAtMillis = dueAtMillis) =>
  ({ key: `${node} ${dueAtMillis}`, node, dueAtMillis, query: { deadlineAtMillis } }) as QueuedAsk;
const never = () => {
  throw new Error("nothing expires here");
};

describe("the ask queue", () => {
  it("of one node: gives the most urgent first, drops what is over, and never holds more than its limit", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 60 }), fc.nat(500), fc.integer({ min: 1, max: 9 }), (deadlines, now, count) => {
        const queue = createAskQueue(40);
        const pushed = deadlines.map((deadline) => queue.push(ask("a", deadline)));
        expect(pushed.filter(({ ok }) => ok)).toHaveLength(Math.min(40, deadlines.length));
        expect(pushed.filter(({ evicted }) => evicted)).toEqual([]);
        const got: number[] = [];
        const expired: number[] = [];
        for (;;) {
          const some = queue.take(count, count, now, (one) => expired.push(one.dueAtMillis));
          expect(some.length).toBeLessThanOrEqual(count);
          got.push(...some.map((one) => one.dueAtMillis));
          if (some.length === 0) break;
        }
        const held = deadlines.slice(0, 40).sort((a, b) => a - b);
        expect(got).toEqual(held.filter((deadline) => deadline > now));
        expect(expired).toEqual(held.filter((deadline) => deadline <= now));
        expect(queue.size).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it("one node fills it with urgent asks → each other node's ask is in the next batch, and the batch is no node's alone", () => {
    const queue = createAskQueue(100);
    for (let n = 0; n < 100; n++) queue.push(ask("flood", n));
    expect(queue.take(8, 2, 0, () => {}).map(({ node }) => node)).toEqual(["flood", "flood"]);
    for (const node of ["a", "b", "c"]) expect(queue.push(ask(node, 10_000)).ok).toBe(true);
    expect(queue.take(8, 2, 0, never).map(({ node }) => node)).toEqual(["a", "b", "c", "flood", "flood"]);
  });

  it("is full of one node's asks → a newcomer takes the place of its last, until the lines are as long as each other", () => {
    const queue = createAskQueue(10);
    for (let n = 1; n <= 10; n++) queue.push(ask("flood", n));
    expect(queue.push(ask("flood", 0))).toEqual({ ok: false });
    const evicted = [1, 2, 3, 4, 5].map((due) => queue.push(ask("a", due)).evicted?.key);
    expect(evicted).toEqual(["flood 10", "flood 9", "flood 8", "flood 7", "flood 6"]);
    expect(queue.push(ask("a", 6))).toEqual({ ok: false });
    expect(queue.push(ask("b", 1))).toMatchObject({ ok: true });
    expect(queue.size).toBe(10);
  });

  it("nodes that always have asks waiting → each gets as many turns as any other, whatever their deadlines", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 2, maxLength: 6 }), fc.integer({ min: 1, max: 12 }), (offsets, count) => {
        const queue = createAskQueue(1000);
        const turns = offsets.map(() => 0);
        for (let n = 0; n < 40; n++) for (const [node, offset] of offsets.entries()) queue.push(ask(String(node), offset + n));
        for (let taken = 0; taken < offsets.length * 20; ) {
          const batch = queue.take(count, count, -1, never);
          for (const { node } of batch) turns[Number(node)]!++;
          taken += batch.length;
          expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("says how many asks would be taken before one: never fewer than are", () => {
    const asks = fc.array(fc.tuple(fc.nat(4), fc.nat(50)), { maxLength: 40 });
    fc.assert(
      fc.property(asks, fc.nat(20), fc.nat(4), fc.nat(60), (waiting, takenBefore, node, due) => {
        const queue = createAskQueue(1000);
        for (const [who, dueAt] of waiting) queue.push(ask(String(who), dueAt));
        queue.take(takenBefore, takenBefore, -1, never);
        const ahead = queue.aheadOf(String(node), due);
        queue.push(ask(String(node), due, 999_999));
        let before = 0;
        while (queue.take(1, 1, -1, never)[0]?.query.deadlineAtMillis !== 999_999) before++;
        expect(ahead).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});
