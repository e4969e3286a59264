import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAnswerCache } from "../../../host/cloud/answer-cache.ts";
import { checkAsk } from "../../../host/cloud/ask-check.ts";
import type { CloudAnswer, Provider } from "../../../host/cloud/provider.ts";
import { isMine, startWorker, type WorkerOptions } from "../../../host/cloud/worker.ts";
import { ConfigError } from "../../../host/core/system/errors.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import { type BrokerServer, startBroker } from "../../../host/mqtt/transport/broker.ts";
import type { BrokerOffer } from "../../../host/mqtt/transport/broker-offer.ts";
import type { IncomingMessage } from "../../../host/mqtt/transport/connection-options.ts";
import type { AskOutcome, AskQuery } from "../../../host/mqtt/wire/ask.ts";
import { encodePayload, type Payload, SCHEMA_VERSION } from "../../../host/mqtt/wire/payloads.ts";
import { echoProvider } from "../../support/echo-provider.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { query } from "../../support/query.ts";
import { until } from "../../support/until.ts";

function askMessage(more: Partial<IncomingMessage> = {}, change: Partial<Payload<"ask">> = {}): IncomingMessage {
  const { patches, labels, ...rest } = query(3);
  return {
    topic: "dormouse/v1/lab/wrist/ask/activity",
    payload: encodePayload({
      ...rest,
      ...{ v: SCHEMA_VERSION, kind: "ask", node: "wrist", wallMillis: 1, labels: [...labels], patches: new Uint8Array(patches.buffer) },
      ...change,
    }),
    retain: false,
    correlationData: Buffer.alloc(16, 1),
    responseTopic: "dormouse/v1/lab/wrist/answer",
    contentType: "application/cbor",
    messageExpirySeconds: 20,
    ...more,
  };
}

describe("the check of an ask", () => {
  it("takes the smaller of the payload's deadline and what the broker left of the expiry", () => {
    expect(checkAsk(askMessage(), 100)).toMatchObject({ ok: true, query: { deadlineAtMillis: 20_100, tick: 3 } });
    expect(checkAsk(askMessage({ messageExpirySeconds: 7 }), 100)).toMatchObject({ ok: true, query: { deadlineAtMillis: 7100 } });
    expect(checkAsk(askMessage({ messageExpirySeconds: 60 }), 100)).toMatchObject({ ok: true, query: { deadlineAtMillis: 20_100 } });
  });

  it("owes a reply to nobody but the asking node's own answer topic", () => {
    for (const responseTopic of [
      "dormouse/v1/lab/other/answer",
      "dormouse/v1/lab/wrist/answer/x",
      "dormouse/v1/lab/wrist/command/reboot",
      "#",
      "",
    ]) {
      expect(checkAsk(askMessage({ responseTopic }), 0)).toMatchObject({ ok: false, to: undefined });
    }
    expect(checkAsk(askMessage({ correlationData: Buffer.alloc(15) }), 0)).toMatchObject({ ok: false, to: undefined });
    expect(checkAsk(askMessage({ topic: "dormouse/v1/lab/wrist/state" }), 0)).toMatchObject({ ok: false, to: undefined });
    const to = { topic: "dormouse/v1/lab/wrist/answer", id: "01".repeat(16) };
    expect(checkAsk(askMessage({ contentType: "text/plain" }), 0)).toMatchObject({ ok: false, to });
    expect(checkAsk(askMessage({}, { node: "other" }), 0)).toMatchObject({ ok: false, to });
    expect(checkAsk(askMessage({ payload: Uint8Array.of(1) }), 0)).toMatchObject({ ok: false, to });
  });

  it("turns any bytes and any properties into a value", () => {
    const whole = askMessage().payload;
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, value]) => Uint8Array.from(whole).fill(value, at, at + 1)),
    );
    fc.assert(
      fc.property(
        payloads,
        fc.uint8Array({ maxLength: 20 }),
        fc.string(),
        fc.option(fc.nat(), { nil: 0 }),
        (payload, correlationData, text, seconds) => {
          for (const more of [
            { payload },
            { payload, correlationData },
            { payload, topic: text },
            { payload, responseTopic: text, messageExpirySeconds: seconds },
          ]) {
            const checked = checkAsk(askMessage(more), 0);
            if (!checked.ok) expect(checked.flaw.length).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});

describe("the answer cache", () => {
  it("drops the least recently used beyond its bound", () => {
    const cache = createAnswerCache<number>(2);
    cache.set("a", 1);
    cache.set("b", 2);
    expect(cache.get("a")).toBe(1);
    cache.set("c", 3);
    expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.size]).toEqual([1, undefined, 3, 2]);
  });
});

describe("a worker", () => {
  let broker: BrokerServer;
  let cleanups: (() => Promise<void>)[];
  beforeEach(async () => {
    broker = await startBroker({ port: 0 });
    cleanups = [() => broker.close()];
  });
  afterEach(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  async function pair(provider: Provider, options: Partial<WorkerOptions> = {}) {
    const backoff = { firstMillis: 20, maxMillis: 100 };
    const worker = startWorker({ broker: { url: broker.url }, provider, backoff, retryAfterMillis: 50, ...options });
    const outcomes: AskOutcome[] = [];
    const events = { onOutcome: (outcome: AskOutcome) => outcomes.push(outcome) };
    const edge = createAsker({
      broker: { url: broker.url },
      site: "lab",
      node: "wrist",
      backoff,
      retry: { firstMillis: 5000, maxMillis: 5000 },
      events,
    });
    cleanups.push(
      () => worker.close(),
      () => edge.close(),
    );
    expect(await worker.ready(5000)).toBe(true);
    await until(() => edge.linkState === "online", "the asker is online");
    const ask = async (...queries: AskQuery[]) => {
      for (const one of queries) edge.ask(one);
      expect(await edge.drain(8000)).toBe(true);
      return outcomes;
    };
    return { worker, edge, outcomes, ask };
  }

  it("outlives a provider that fails, and the ask is answered in the end", async () => {
    let calls = 0;
    const flaky: Provider = {
      name: "flaky",
      answer: async (batch) => {
        if (calls++ < 2) throw new Error("out of luck");
        return batch.map(() => ({ ok: true, label: 1, confidence: 1, model: "flaky" }));
      },
    };
    const { worker, edge, ask } = await pair(flaky);
    expect(await ask(query())).toMatchObject([{ state: "answered" }]);
    expect(worker.stats()).toMatchObject({ providerErrors: 2, refused: 2, answered: 1 });
    expect(edge.stats().postponed).toBe(2);
  });

  it("gives up on a provider that hangs, and goes on", async () => {
    let calls = 0;
    const hangs: Provider = {
      name: "hangs",
      answer: (batch) =>
        calls++ === 0 ? new Promise(() => {}) : Promise.resolve(batch.map(() => ({ ok: true, label: 0, confidence: 1, model: "m" }))),
    };
    const { worker, ask } = await pair(hangs, { providerTimeoutMillis: 60 });
    expect(await ask(query())).toMatchObject([{ state: "answered" }]);
    expect(worker.stats()).toMatchObject({ providerErrors: 1 });
  });

  it("refuses in the provider's name what it answers out of range", async () => {
    const bad: (CloudAnswer | undefined)[] = [
      { ok: true, label: 3, confidence: 1, model: "m" },
      { ok: true, label: 0.5, confidence: 1, model: "m" },
      { ok: true, label: 0, confidence: Number.NaN, model: "m" },
      undefined,
    ];
    let n = 0;
    const { ask } = await pair({ name: "bad", answer: async (batch) => batch.map(() => bad[n++]!) }, { batchLimit: 1 });
    const outcomes = await ask(query(0), query(1), query(2), query(3));
    expect(outcomes.map(({ state }) => state)).toEqual(["refused", "refused", "refused", "refused"]);
  });

  it("drops an ask whose time is over instead of answering it late", async () => {
    const slow: Provider = {
      name: "slow",
      answer: async (batch) => {
        await until(() => performance.now() > batch[0]!.deadlineAtMillis, "its time is over");
        return batch.map(() => ({ ok: true, label: 0, confidence: 1, model: "slow" }));
      },
    };
    const { worker, edge, outcomes, ask } = await pair(slow);
    await ask(query(0, { deadlineMillis: 200 }));
    await until(() => worker.stats().expired === 1, "the worker drops it");
    expect(outcomes).toMatchObject([{ state: "expired" }]);
    expect(edge.counts().lateAnswers).toBe(0);
    expect([...worker.ledger().values()]).toEqual(["expired"]);
  });

  it("answers in batches that grow with the load", async () => {
    const { worker, ask } = await pair(echoProvider(), { batchLimit: 8 });
    const outcomes = await ask(...Array.from({ length: 40 }, (_, n) => query(n)));
    expect(outcomes).toHaveLength(40);
    expect(worker.stats().largestBatch).toBeGreaterThan(1);
    expect(worker.stats().largestBatch).toBeLessThanOrEqual(8);
  });

  it("tells which asks it takes, once each, and which of them end without a reply", async () => {
    const clock = new ManualClock();
    const fates: string[] = [];
    let hear!: (message: IncomingMessage) => void;
    let finish!: () => void;
    const hanging = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const worker = startWorker({
      ...{ broker: { url: broker.url }, clock, workerIndex: 0, workerCount: 2 },
      provider: {
        name: "slow",
        answer: (batch) => hanging.then(() => batch.map(() => ({ ok: true, label: 0, confidence: 1, model: "m" }))),
      },
      onTaken: ({ id }) => fates.push(`${id.slice(0, 2)} taken`),
      onDropped: ({ id }, why) => fates.push(`${id.slice(0, 2)} ${why}`),
      connect({ filters, onMessage }) {
        filters({ hasSharedSubscriptions: false } as BrokerOffer);
        hear = onMessage;
        const quiet = {
          open: () => {},
          flush: async () => {},
          close: async () => {},
          effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
        };
        return { ...quiet, state: "online", publish: async () => ({ ok: true }) };
      },
    });
    const ask = (n: number, deadlineMillis = 20_000) => hear(askMessage({ correlationData: Buffer.alloc(16, n) }, { deadlineMillis }));
    ask(2);
    ask(2); // a repeat
    ask(1); // the other worker's
    clock.advance(10);
    ask(4, 500);
    clock.advance(600);
    finish();
    await until(() => worker.stats().expired === 1, "the second is over");
    ask(2); // once more: from the cache
    expect(fates).toEqual(["02 taken", "04 taken", "04 expired", "02 taken"]);
    expect(worker.stats()).toMatchObject({ received: 4, answered: 1, duplicates: 1, cacheHits: 1, notMine: 1 });
  });

  it("exists only within its count, and each id belongs to exactly one of N", () => {
    expect(() => startWorker({ broker: { url: broker.url }, provider: echoProvider(), workerIndex: 2, workerCount: 2 })).toThrow(
      ConfigError,
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.integer({ min: 1, max: 9 }), (bytes, count) => {
        const id = Buffer.from(bytes).toString("hex");
        expect(Array.from({ length: count }, (_, i) => isMine(id, i, count)).filter(Boolean)).toHaveLength(1);
      }),
    );
  });
});
