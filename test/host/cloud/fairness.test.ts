import { describe, expect, it } from "vitest";
import type { CloudQuery, Provider } from "../../../host/cloud/provider.ts";
import { startWorker } from "../../../host/cloud/worker.ts";
import type { BrokerOffer } from "../../../host/mqtt/transport/broker-offer.ts";
import type { IncomingMessage } from "../../../host/mqtt/transport/connection-options.ts";
import { decodePayload, encodePayload, type Payload } from "../../../host/mqtt/wire/payloads.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { query } from "../../support/query.ts";

/** A worker on a clock of the test's; what it publishes is told to `onReply`. */
function workerOn(clock: ManualClock, provider: Provider, onReply: (node: string, id: string, kind: string) => void) {
  let hear!: (message: IncomingMessage) => void;
  const anomalies: string[] = [];
  const worker = startWorker({
    ...{ broker: { url: "mqtt://127.0.0.1:1" }, clock, provider, onAnomaly: ({ code }) => anomalies.push(code) },
    connect({ filters, onMessage }) {
      filters({ hasSharedSubscriptions: true } as BrokerOffer);
      hear = onMessage;
      const quiet = {
        open: () => {},
        flush: async () => {},
        close: async () => {},
        effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
      };
      return {
        ...quiet,
        state: "online",
        async publish(topic, payload, options) {
          const reply = decodePayload(["answer", "refusal"], payload);
          onReply(topic.split("/")[3]!, Buffer.from(options!.correlationData!).toString("hex"), reply.ok ? reply.value.kind : "flawed");
          return { ok: true };
        },
      };
    },
  });
  let ids = 0;
  const payloads = new Map<string, Uint8Array>();
  const payloadOf = (node: string, deadlineMillis: number) => {
    const { patches, labels, ...rest } = query(0, { deadlineMillis });
    const ask = { ...rest, labels: [...labels], patches: new Uint8Array(patches.buffer), v: 1, kind: "ask", node, wallMillis: 0 };
    return encodePayload(ask as Payload<"ask">);
  };
  const ask = (node: string, deadlineMillis: number): string => {
    const id = Buffer.alloc(16);
    id.writeUInt32BE(++ids);
    const key = `${node} ${deadlineMillis}`;
    payloads.set(key, payloads.get(key) ?? payloadOf(node, deadlineMillis));
    hear({
      topic: `dormouse/v1/lab/${node}/ask/activity`,
      payload: payloads.get(key)!,
      ...{ retain: false, correlationData: id, responseTopic: `dormouse/v1/lab/${node}/answer`, contentType: "application/cbor" },
    });
    return id.toString("hex");
  };
  return { worker, ask, anomalies };
}

const settle = () => new Promise((resolve) => setImmediate(resolve)); // all promises of this moment

/** Costs what the activity's teacher does: 15 ms and 2.5 ms for each ask. */
function slowProvider(clock: ManualClock, batches: CloudQuery[][] = []): Provider {
  return {
    name: "slow",
    answer: (batch) => {
      batches.push([...batch]);
      const answers = batch.map(() => ({ ok: true, label: 0, confidence: 1, model: "m" }) as const);
      return new Promise((resolve) => clock.after(15 + 2.5 * batch.length, () => resolve(answers)));
    },
  };
}

describe("a worker that one node floods", () => {
  /** Median time of the others' answers, on the test's clock, with so many asks per second of the flooder. */
  async function play(floodPerSecond: number) {
    const clock = new ManualClock();
    const askedAt = new Map<string, number>();
    const latencies: number[] = [];
    const refusals: string[] = [];
    const { worker, ask, anomalies } = workerOn(clock, slowProvider(clock), (node, id, kind) => {
      if (node === "flooder") return;
      if (kind === "answer") latencies.push(clock.now() - askedAt.get(id)!);
      else refusals.push(id);
    });
    let flooded = 0;
    for (let millis = 0; millis < 4000; millis++) {
      for (; flooded < (millis * floodPerSecond) / 1000; flooded++) ask("flooder", 1200);
      if (millis % 97 === 0) askedAt.set(ask(`other-${millis % 4}`, 10_000), clock.now());
      clock.advance(1);
      await settle();
    }
    for (let millis = 0; millis < 500; millis++) {
      clock.advance(1);
      await settle();
    }
    latencies.sort((a, b) => a - b);
    return {
      median: latencies[latencies.length >> 1]!,
      answered: latencies.length,
      asked: askedAt.size,
      refusals,
      stats: worker.stats(),
      anomalies,
    };
  }

  it("at 400 asks per second with 1.2 s → the others are all answered, their median within 3 times of unloaded", {
    timeout: 30_000,
  }, async () => {
    const alone = await play(0);
    const flooded = await play(400);
    expect(alone.answered).toBe(alone.asked);
    expect(flooded.answered).toBe(flooded.asked);
    expect(flooded.refusals).toEqual([]);
    expect(flooded.median / alone.median).toBeLessThan(3);
    expect(flooded.stats.unread).toBeGreaterThan(0); // most of the flood costs no more than its topic
    expect(flooded.stats.largestBatch).toBeLessThanOrEqual(8 + 4); // a quarter of 32, and one of each other node
    expect(new Set(flooded.anomalies)).toEqual(new Set(["NODE_UNREAD"]));
    expect(flooded.anomalies.length).toBeLessThanOrEqual(20);
  });

  it("an ask in a hurry gains nothing over one that came before: deadlines rank from a second after arrival", async () => {
    const clock = new ManualClock();
    const batches: CloudQuery[][] = [];
    const { ask } = workerOn(clock, slowProvider(clock, batches), () => {});
    const first = [ask("a", 900), ask("a", 800)];
    clock.advance(1);
    const hurry = ask("a", 100);
    clock.advance(10);
    await settle();
    expect(batches[0]?.map(({ id }) => id)).toEqual([...first, hurry]);
  });

  it("a node whose asks come to nothing goes unread for a while, and is read again after it", async () => {
    const clock = new ManualClock();
    const replies: string[] = [];
    const { worker, ask } = workerOn(clock, slowProvider(clock), (node, _, kind) => replies.push(`${node} ${kind}`));
    ask("a", 10_000);
    clock.advance(50);
    await settle();
    clock.advance(50);
    await settle();
    for (let n = 0; n < 200; n++) ask("a", 1); // no time for any answer
    expect(worker.stats()).toMatchObject({ hopeless: 64, unread: 136 });
    ask("b", 10_000);
    clock.advance(1000);
    await settle();
    ask("a", 10_000);
    clock.advance(100);
    await settle();
    clock.advance(100);
    await settle();
    expect(replies.filter((reply) => reply.endsWith("answer"))).toEqual(["a answer", "b answer", "a answer"]);
  });
});
