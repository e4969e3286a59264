import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CloudQuery, CloudTextQuery, Provider } from "../../host/cloud/provider.ts";
import { compareLedgers } from "../../host/mqtt/outbox/ledger.ts";
import { decodePayload, encodePayload, type Payload, SCHEMA_VERSION } from "../../host/mqtt/wire/payloads.ts";
import { buildTopics } from "../../host/mqtt/wire/topics.ts";
import type { TestBroker } from "../support/broker.ts";
import { echo, echoProvider, textProvider } from "../support/echo-provider.ts";
import { type OffloadNodes, openOffloadNodes } from "../support/offload-nodes.ts";
import { query, textQuery } from "../support/query.ts";
import { until } from "../support/until.ts";

/** One suite over every broker: the life of an ask, from both ends. */
export function offloadSuite(name: string, open: () => Promise<TestBroker>): void {
  describe(name, () => {
    let broker: TestBroker;
    let nodes: OffloadNodes;
    const asker: OffloadNodes["asker"] = (options) => nodes.asker(options);
    const worker: OffloadNodes["worker"] = (provider, options) => nodes.worker(provider, options);
    const client: OffloadNodes["client"] = (filters, clientId) => nodes.client(filters, clientId);

    beforeAll(async () => {
      broker = await open();
      nodes = openOffloadNodes(broker.url);
    });
    afterEach(() => nodes.close());
    afterAll(() => broker.close());

    const answerTo = (node: string, more: Partial<Payload<"answer">> = {}) =>
      encodePayload({
        v: SCHEMA_VERSION,
        kind: "answer",
        node,
        agent: "activity",
        tick: 0,
        wallMillis: 1,
        label: 1,
        confidence: 0.5,
        model: "bare",
        ...more,
      });

    it("answers an ask, with the same id in both ledgers", async () => {
      const cloud = await worker();
      const edge = asker();
      const id = edge.ask(query(4));
      await until(() => edge.outcomes.length === 1, "the outcome");
      expect(edge.outcomes[0]).toMatchObject({ id, state: "answered", answer: { label: 1, confidence: 0.75, model: "echo" }, tick: 4 });
      expect(edge.counts()).toMatchObject({ asked: 1, answered: 1, pending: 0, duplicateAnswers: 0 });
      expect(compareLedgers(edge.ledger(), cloud.ledger())).toMatchObject({ asked: 1, answered: 1, lost: 0, neverAtCloud: 0 });
    });

    it("delivers context and window byte for byte", async () => {
      let got: CloudQuery | undefined;
      await worker(
        echoProvider((asked) => {
          got = asked;
          return echo(asked);
        }),
      );
      const edge = asker();
      const asked = query(7, { patches: Int8Array.from({ length: 240 }, (_, i) => ((i * 37) % 256) - 128) });
      edge.ask(asked);
      await until(() => edge.outcomes.length === 1, "the outcome");
      expect(got).toMatchObject({
        patches: asked.patches,
        labels: asked.labels,
        local: asked.local,
        imageHash: asked.imageHash,
        patchBytes: 24,
      });
    });

    it("carries a question with its facts to the worker and the reply back, as an ask like any other", async () => {
      let got: CloudTextQuery | undefined;
      const cloud = await worker(
        textProvider((asked) => {
          got = asked;
          return { ok: true, reply: { kind: "say", text: "Call <PHONE_1> first.", intent: "call", probability: 0.8 }, model: "echo" };
        }),
      );
      const edge = asker();
      const asked = textQuery(3);
      const id = edge.ask(asked);
      edge.ask(query(4)); // a sensor ask in the same batch
      await until(() => edge.texts.length === 1 && edge.outcomes.length === 1, "both outcomes");
      expect(edge.texts[0]).toMatchObject({ id, state: "answered", question: asked.question, tick: 3, agent: "assistant" });
      expect(edge.texts[0]!.reply).toEqual({ kind: "say", text: "Call <PHONE_1> first.", intent: "call", probability: 0.8, model: "echo" });
      expect(got).toMatchObject({ question: asked.question, facts: asked.facts, said: asked.said, agent: "assistant" });
      expect(edge.outcomes[0]).toMatchObject({ state: "answered", answer: { label: 1 } });
      expect(compareLedgers(edge.ledger(), cloud.ledger())).toMatchObject({ asked: 2, answered: 2, lost: 0 });
    });

    it("refuses a reply that is too long, steers a terminal or names a placeholder that the ask lacks", async () => {
      const replies = ["x".repeat(401), "\u001b[2J", "Call <PHONE_2>."];
      await worker(textProvider(({ tick }) => ({ ok: true, reply: { kind: "say", text: replies[tick]! }, model: "m" })));
      const edge = asker();
      for (const tick of replies.keys()) edge.ask(textQuery(tick));
      await until(() => edge.texts.length === 3, "three outcomes");
      expect(edge.texts.every(({ state, reply }) => state === "refused" && reply === undefined)).toBe(true);
    });

    it("refuses a text ask when the provider answers no text", async () => {
      await worker();
      const edge = asker();
      edge.ask(textQuery());
      await until(() => edge.texts.length === 1, "the outcome");
      expect(edge.texts[0]).toMatchObject({ state: "refused", reason: "form: echo answers no text" });
    });

    it("counts an answer of the other kind as malformed, and goes on waiting", async () => {
      const edge = asker();
      const { heard, connection } = await client(["dormouse/v1/lab/+/ask/+"]);
      const id = edge.ask(textQuery());
      await until(() => heard.length > 0, "the ask is heard");
      await connection.publish(buildTopics("lab", edge.node).answer, answerTo(edge.node, { agent: "assistant" }), {
        correlationData: Buffer.from(id, "hex"),
      });
      await until(() => edge.counts().malformedAnswers === 1, "it is counted");
      expect(edge.counts()).toMatchObject({ pending: 1, answered: 0 });
    });

    it("ends in refused when the provider refuses for good", async () => {
      const cloud = await worker(echoProvider(() => ({ ok: false, reason: "labels", detail: "unknown labels" })));
      const edge = asker();
      edge.ask(query());
      await until(() => edge.outcomes.length === 1, "the outcome");
      expect(edge.outcomes[0]).toMatchObject({ state: "refused", reason: "labels: unknown labels" });
      expect(cloud.stats().refused).toBe(1);
    });

    it("expires when nobody answers in time", async () => {
      const edge = asker();
      edge.ask(query(0, { deadlineMillis: 150 }));
      expect(await edge.drain(5000)).toBe(true);
      expect(edge.outcomes).toMatchObject([{ state: "expired" }]);
    });

    it("counts late, repeated, unknown and malformed answers and acts on none", async () => {
      const edge = asker();
      const { heard, connection } = await client(["dormouse/v1/lab/+/ask/+"]);
      const topic = buildTopics("lab", edge.node).answer;
      const say = (id: string, payload = answerTo(edge.node)) =>
        connection.publish(topic, payload, { correlationData: Buffer.from(id, "hex") });

      const late = edge.ask(query(0, { deadlineMillis: 200 }));
      await edge.drain(5000);
      await say(late);
      await until(() => edge.counts().lateAnswers === 1, "the late answer is counted");

      const id = edge.ask(query(1));
      await until(() => heard.some((message) => Buffer.from(message.correlationData!).toString("hex") === id), "the ask is heard");
      await say(id, Uint8Array.of(0xa1, 0xff)); // not CBOR
      await say(id, answerTo("somebody-else"));
      await say(id, answerTo(edge.node, { label: 3 })); // of three labels
      await connection.publish(topic, answerTo(edge.node)); // no correlation data
      await until(() => edge.counts().malformedAnswers === 4, "malformed answers are counted");
      expect(edge.counts().pending).toBe(1);

      await say(id, answerTo(edge.node, { label: 2 }));
      await say(id, answerTo(edge.node, { label: 0 }));
      await say("00".repeat(16));
      await until(() => edge.counts().unknownAnswers === 1, "the unknown answer is counted");
      expect(edge.counts()).toMatchObject({ asked: 2, answered: 1, expired: 1, duplicateAnswers: 1, lateAnswers: 1 });
      expect(edge.outcomes.map((outcome) => outcome.answer?.label)).toEqual([undefined, 2]);
      expect(new Set(edge.anomalies)).toEqual(new Set(["ANSWER_LATE", "ANSWER_MALFORMED", "ANSWER_REPEATED", "ANSWER_UNKNOWN"]));
    });

    it("asks again with a shrinking deadline and expiry until answered", async () => {
      const edge = asker({ retry: { firstMillis: 60, maxMillis: 60 } });
      const { heard } = await client(["dormouse/v1/lab/+/ask/+"]);
      edge.ask(query(0, { deadlineMillis: 3000 }));
      await until(() => heard.length >= 3, "three sends");
      const left = heard.map((message) => {
        const decoded = decodePayload(["ask"], message.payload);
        return decoded.ok ? decoded.value.deadlineMillis : 0;
      });
      expect(left[2]).toBeLessThan(left[0]!);
      expect(heard[0]).toMatchObject({
        contentType: "application/cbor",
        responseTopic: buildTopics("lab", edge.node).answer,
        messageExpirySeconds: 3,
      });
      expect(new Set(heard.map((message) => Buffer.from(message.correlationData!).toString("hex"))).size).toBe(1);
    });

    it("answers a repeated ask from the cache, once computed", async () => {
      const provider = echoProvider();
      const cloud = await worker(provider);
      const { heard, connection } = await client(["dormouse/v1/lab/repeat/answer"]);
      const { tick, patches, deadlineMillis, agent, imageHash, labels, patchBytes, windowPatches, local } = query(5);
      const payload = encodePayload({
        ...{ v: SCHEMA_VERSION, kind: "ask", node: "repeat", wallMillis: 1, agent, imageHash, labels: [...labels], tick, patchBytes },
        ...{ windowPatches, local, deadlineMillis, patches: new Uint8Array(patches.buffer) },
      } as Payload<"ask">);
      const ask = () =>
        connection.publish(buildTopics("lab", "repeat").ask("activity"), payload, {
          correlationData: Buffer.alloc(16, 7),
          responseTopic: buildTopics("lab", "repeat").answer,
        });
      await ask();
      await until(() => heard.length === 1, "the first answer");
      await ask();
      await until(() => heard.length === 2, "the second answer");
      expect(Buffer.from(heard[1]!.payload).subarray(0, 3)).toEqual(Buffer.from(heard[0]!.payload).subarray(0, 3));
      expect([...provider.seen.values()]).toEqual([1]);
      expect(cloud.stats()).toMatchObject({ received: 2, answered: 1, cacheHits: 1 });
    });

    it("refuses a malformed ask only to the asking node's own topic", async () => {
      const cloud = await worker();
      const { heard, connection } = await client(["dormouse/v1/lab/victim/answer", "dormouse/v1/lab/evil/answer"]);
      const from = buildTopics("lab", "evil");
      const correlationData = Buffer.alloc(16, 9);
      await connection.publish(from.ask("activity"), Uint8Array.of(1, 2, 3), {
        correlationData,
        responseTopic: buildTopics("lab", "victim").answer,
      });
      await connection.publish(from.ask("activity"), Uint8Array.of(1, 2, 3), { responseTopic: from.answer });
      await connection.publish(from.ask("activity"), Uint8Array.of(1, 2, 3), { correlationData, responseTopic: from.answer });
      await until(() => cloud.stats().malformed === 3 && heard.length === 1, "one refusal");
      expect(heard[0]!.topic).toBe(from.answer);
      expect(decodePayload(["refusal"], heard[0]!.payload)).toMatchObject({ ok: true, value: { reason: "malformed" } });
      expect(cloud.stats().received).toBe(0);
    });

    it("shares the asks between two workers, each ask answered by one", async () => {
      const providers = [echoProvider(), echoProvider()];
      for (const [workerIndex, provider] of providers.entries()) await worker(provider, { workerIndex, workerCount: 2 });
      const edge = asker({ retry: { firstMillis: 60_000, maxMillis: 60_000 } }); // a resent ask may well go to the other
      for (let n = 0; n < 60; n++) edge.ask(query(n));
      expect(await edge.drain(8000)).toBe(true);
      expect(edge.counts()).toMatchObject({ asked: 60, answered: 60 });
      const sizes = providers.map((provider) => provider.seen.size);
      expect(sizes[0]! + sizes[1]!).toBe(60);
      expect(Math.min(...sizes)).toBeGreaterThan(5);
    });

    it("postpones while the worker's queue is full and answers all in the end", async () => {
      const cloud = await worker(echoProvider(), { queueLimit: 4, batchLimit: 2, retryAfterMillis: 60 });
      const edge = asker();
      for (let n = 0; n < 24; n++) edge.ask(query(n));
      expect(await edge.drain(8000)).toBe(true);
      expect(edge.counts()).toMatchObject({ asked: 24, answered: 24, refused: 0 });
      expect(edge.stats().postponed).toBeGreaterThan(0);
      expect(cloud.stats().largestBatch).toBeLessThanOrEqual(2);
    });

    it("answers what it has admitted before it closes", async () => {
      const held: (() => void)[] = [];
      const slow: Provider = {
        name: "slow",
        answer: (batch) => new Promise((resolve) => held.push(() => resolve(batch.map(echo)))),
      };
      const cloud = await worker(slow);
      const edge = asker();
      edge.ask(query(1));
      await until(() => held.length === 1, "the provider has the ask");
      const closed = cloud.close();
      held[0]!();
      await closed;
      await until(() => edge.counts().answered === 1, "the answer");
      expect(cloud.linkState).toBe("offline");
    });

    it("resumes after the broker was killed in the middle: all asks end, lost 0", async () => {
      const provider = echoProvider();
      const cloud = await worker(provider);
      const edge = asker();
      for (let n = 0; n < 20; n++) edge.ask(query(n));
      await until(() => edge.counts().answered >= 5, "some answers");
      await broker.kill();
      await until(() => edge.linkState !== "online" && cloud.linkState !== "online", "both ends notice");
      for (let n = 20; n < 40; n++) edge.ask(query(n));
      expect(edge.counts().pending).toBeGreaterThanOrEqual(20);
      await broker.start();
      expect(await edge.drain(15_000)).toBe(true);
      expect(edge.counts()).toMatchObject({ asked: 40, answered: 40, pending: 0 });
      expect(compareLedgers(edge.ledger(), cloud.ledger())).toMatchObject({ asked: 40, answered: 40, lost: 0, neverAtCloud: 0 });
      expect(edge.outcomes.length).toBe(new Set(edge.outcomes.map((outcome) => outcome.id)).size);
    });

    it("tells when it is awake, asleep and offline, retained", async () => {
      const edge = asker({ presence: { firmware: "1.0", batteryPercent: 80 } });
      await until(() => edge.linkState === "online", "online");
      const { heard } = await client([buildTopics("lab", edge.node).state]);
      const last = () => {
        const decoded = heard.length > 0 ? decodePayload(["state"], heard.at(-1)!.payload) : undefined;
        return decoded?.ok ? decoded.value : undefined;
      };
      await until(() => last()?.state === "awake", "awake");
      expect(last()).toMatchObject({ node: edge.node, firmware: "1.0", batteryPercent: 80 });
      await edge.sleep(1_800_000_000_000);
      await until(() => last()?.state === "asleep", "asleep");
      expect(last()).toMatchObject({ untilWallMillis: 1_800_000_000_000 });
      expect(edge.linkState).toBe("offline");
      edge.wake();
      await until(() => last()?.state === "awake", "awake again");
      await edge.close();
      await until(() => last()?.state === "offline", "offline");
    });

    it("comes back when it wakes while it still goes to sleep, and leaves nothing behind when it closes then", async () => {
      const links: string[] = [];
      const told = { onOutcome: () => {}, onLinkState: (state: string) => links.push(state) };
      const edge = asker({ events: told });
      await until(() => edge.linkState === "online", "online");
      const { heard } = await client([buildTopics("lab", edge.node).state]);
      const last = () => {
        const decoded = heard.length > 0 ? decodePayload(["state"], heard.at(-1)!.payload) : undefined;
        return decoded?.ok ? decoded.value.state : undefined;
      };
      const asleep = edge.sleep(1_800_000_000_000);
      edge.wake();
      await asleep;
      await until(() => edge.linkState === "online" && last() === "awake", "awake again");
      expect(links).toEqual(["connecting", "online", "offline", "connecting", "online"]);
      void edge.sleep(1_800_000_000_000);
      edge.wake();
      await edge.close();
      expect(edge.linkState).toBe("offline");
      expect(links.slice(5)).toEqual(["offline"]);
    });

    it("gets after its sleep the answer that came while it slept", async () => {
      const held: (() => void)[] = [];
      const cloud = await worker({
        name: "slow",
        answer: (batch) => new Promise((resolve) => held.push(() => resolve(batch.map(echo)))),
      });
      const edge = asker({ retry: { firstMillis: 60_000, maxMillis: 60_000 } });
      edge.ask(query(1));
      await until(() => held.length === 1, "the provider has the ask");
      await edge.sleep(1_800_000_000_000);
      edge.ask(query(2)); // waits for the link
      for (const release of held.splice(0)) release();
      await until(() => cloud.stats().answered === 1, "the answer is given");
      expect(edge.counts()).toMatchObject({ pending: 2, answered: 0 });
      edge.wake();
      await until(() => edge.counts().answered === 1, "the first answer");
      await until(() => held.length === 1, "the second ask");
      held[0]!();
      expect(await edge.drain(5000)).toBe(true);
      expect(edge.counts()).toMatchObject({ asked: 2, answered: 2 });
      expect(cloud.stats().answered).toBe(2);
    });

    it("publishes events and telemetry", async () => {
      const { heard } = await client(["dormouse/v1/lab/teller/event/activity", "dormouse/v1/lab/teller/telemetry"]);
      const edge = asker({ node: "teller" });
      edge.event("activity", { label: "walk", confidence: 0.9 }); // before the link is up: kept
      await until(() => edge.linkState === "online", "online");
      edge.telemetry({ macs: 123 });
      await until(() => heard.length === 2, "both");
      const values = heard.map((message) => decodePayload(["event", "telemetry"], message.payload));
      expect(values).toContainEqual({
        ok: true,
        value: expect.objectContaining({ kind: "event", data: { label: "walk", confidence: 0.9 } }),
      });
      expect(values).toContainEqual({ ok: true, value: expect.objectContaining({ kind: "telemetry", data: { macs: 123 } }) });
    });
  });
}
