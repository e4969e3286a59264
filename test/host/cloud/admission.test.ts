import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AdmissionRequest, admit, createServiceTime } from "../../../host/cloud/admission.ts";
import { createAskQueue, type QueuedAsk } from "../../../host/cloud/ask-queue.ts";
import { createBatcher } from "../../../host/cloud/batcher.ts";
import type { CloudAnswer, Provider } from "../../../host/cloud/provider.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const request = (more: Partial<AdmissionRequest> = {}) =>
  admit({
    time: { batchMillis: 40, askMillis: 2 },
    ahead: 100,
    leftMillis: 30_000,
    maxWaitMillis: 2000,
    retryAfterMillis: 1000,
    spread: 0,
    ...more,
  });

describe("admission", () => {
  it("takes what can be met, sends back what another worker may meet, and refuses for good what nobody can", () => {
    expect(request({ leftMillis: 281 })).toEqual({ ok: true });
    expect(request({ leftMillis: 279 })).toMatchObject({ ok: false, reason: "busy", retryAfterMillis: 139.5 });
    expect(request({ ahead: 0, leftMillis: 2 })).toMatchObject({ ok: false, reason: "deadline" });
    expect(request({ ahead: 0, leftMillis: 2 })).not.toHaveProperty("retryAfterMillis");
    expect(request({ ahead: 0, leftMillis: 3 })).toEqual({ ok: true }); // an idle worker tries
    expect(request({ time: createServiceTime(), ahead: 511, leftMillis: 1 })).toEqual({ ok: true }); // nothing is known yet
  });

  it("promises no wait in which a device would ask another, and sends back for longer the longer the wait, not all at once", () => {
    expect(request({ ahead: 960 })).toEqual({ ok: true });
    expect(request({ ahead: 961 })).toMatchObject({ ok: false, reason: "busy", retryAfterMillis: 2002 });
    expect(request({ ahead: 2000, spread: 0.5 })).toMatchObject({ retryAfterMillis: 6120 });
    expect(request({ ahead: 1, time: { batchMillis: 1500, askMillis: 1 } })).toMatchObject({ reason: "busy" });
  });

  it("never sends an ask back beyond its deadline, and refuses no ask that has more time than an admitted one", () => {
    const millis = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(millis, millis, fc.nat(5000), millis, millis, (batchMillis, askMillis, ahead, leftMillis, more) => {
        const time = { batchMillis, askMillis };
        const one = request({ time, ahead, leftMillis });
        if (!one.ok && one.retryAfterMillis !== undefined) expect(one.retryAfterMillis).toBeLessThan(leftMillis);
        if (one.ok) expect(request({ time, ahead, leftMillis: leftMillis + more }).ok).toBe(true);
      }),
    );
  });

  it("learns what a batch costs, the newest first", () => {
    const learned = createServiceTime();
    expect([learned.batchMillis, learned.askMillis]).toEqual([0, 0]);
    learned.observe(100, 10);
    expect([learned.batchMillis, learned.askMillis]).toEqual([100, 10]);
    for (let i = 0; i < 50; i++) learned.observe(64, 32);
    expect(learned.batchMillis).toBeCloseTo(64, 1);
    expect(learned.askMillis).toBeCloseTo(2, 1);
  });
});

describe("the batcher", () => {
  const ask = (n: number, deadlineAtMillis: number) =>
    ({
      ...{ key: String(n), node: "a", dueAtMillis: deadlineAtMillis, to: { id: String(n) } },
      query: { id: String(n), deadlineAtMillis, labels: ["a"] },
    }) as unknown as QueuedAsk;
  const answer: CloudAnswer = { ok: true, label: 0, confidence: 1, model: "m" };

  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

  function setUp(provider: Provider["answer"]) {
    const clock = new ManualClock();
    const queue = createAskQueue(100);
    const serviceTime = createServiceTime();
    const ended: string[] = [];
    const batcher = createBatcher({
      ...{ queue, clock, serviceTime, batchLimit: 4, batchDelayMillis: 2, timeoutMillis: 1000, retryAfterMillis: 50 },
      provider: { name: "p", answer: provider },
      onAnswer: (one, what) => ended.push(`${one.key} ${what.ok ? "ok" : what.reason}`),
      onExpired: (one) => ended.push(`${one.key} expired`),
      onFailure: (asks, detail) => ended.push(`${asks} failed: ${detail}`),
    });
    return { clock, queue, serviceTime, ended, batcher };
  }

  it("gives the most urgent first, in batches, and drops what ran out of time on the way", async () => {
    const seen: string[][] = [];
    const { clock, queue, serviceTime, ended, batcher } = setUp(async (batch) => {
      seen.push(batch.map(({ id }) => id));
      await settled(); // out of the test's own advance
      clock.advance(100);
      return batch.map(() => answer);
    });
    for (const [n, deadline] of [900, 300, 150, 500, 400, 50].entries()) queue.push(ask(n, deadline));
    batcher.wake();
    batcher.wake();
    clock.advance(2);
    await batcher.idle(1e9);
    expect(seen).toEqual([
      ["5", "2", "1", "4"],
      ["3", "0"],
    ]);
    expect(ended).toEqual(["5 expired", "2 ok", "1 ok", "4 ok", "3 ok", "0 ok"]);
    expect(batcher).toMatchObject({ batches: 2, largestBatch: 4 });
    expect(serviceTime.batchMillis).toBeCloseTo(100);
    expect(clock.timers).toBe(0);
  });

  it("tells each ask of a batch that the provider let down, and goes on with the next", async () => {
    let calls = 0;
    const { clock, queue, serviceTime, ended, batcher } = setUp(async (batch) => {
      if (calls++ === 0) throw new Error("out of memory");
      return batch.map(() => answer);
    });
    for (let n = 0; n < 5; n++) queue.push(ask(n, 1e6 + n));
    batcher.wake();
    clock.advance(2);
    await batcher.idle(1e9);
    expect(ended).toEqual(["4 failed: out of memory", "0 provider", "1 provider", "2 provider", "3 provider", "4 ok"]);
    expect(serviceTime.askMillis).toBe(0); // a failure teaches nothing of what an answer costs
  });

  it("waits no longer for idleness than it is told", async () => {
    const { clock, queue, batcher } = setUp(() => new Promise(() => {}));
    queue.push(ask(0, 1e6));
    batcher.wake();
    clock.advance(2);
    const idle = batcher.idle(500);
    await settled();
    clock.advance(500);
    await idle;
    clock.advance(1000); // the provider's own time is over as well
    await batcher.idle(1e9);
  });
});
