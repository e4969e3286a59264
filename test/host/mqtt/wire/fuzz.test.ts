import { afterEach, describe, expect, it } from "vitest";
import type { CloudTextAnswer, CloudTextQuery } from "../../../../host/cloud/provider.ts";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { systemClock } from "../../../../host/core/system/clock.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { systemRandom } from "../../../../host/mqtt/transport/backoff.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { type Connection, createConnection } from "../../../../host/mqtt/transport/connection.ts";
import type { AskQuery, TextQuery } from "../../../../host/mqtt/wire/ask.ts";
import { encodeCbor } from "../../../../host/mqtt/wire/cbor.ts";
import { encodePayload, type Payload, SCHEMA_VERSION } from "../../../../host/mqtt/wire/payloads.ts";
import { buildTopics } from "../../../../host/mqtt/wire/topics.ts";
import { echoProvider } from "../../../support/echo-provider.ts";
import { query, textQuery } from "../../../support/query.ts";
import { seeded } from "../../../support/random.ts";
import { until } from "../../../support/until.ts";

/** DORMOUSE_FUZZ: payloads in all, half into the device, half into the worker. */
const payloads = Number(process.env.DORMOUSE_FUZZ ?? 6000);
const backoff = { firstMillis: 20, maxMillis: 100 };
const random = seeded(Number(process.env.DORMOUSE_SEED ?? 1));
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
const bytes = (count: number) => Buffer.from(Uint8Array.from({ length: count }, () => Math.floor(random() * 256)));

/** Values that a field never expects, and some that it does. */
const strange = (): unknown =>
  pick<unknown>([
    ...[null, true, -1, 0, 1, 2 ** 32, 2 ** 53, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "", "a/b", "$SYS", "constructor", "__proto__"],
    ...["x".repeat(Math.floor(random() * 2000)), bytes(Math.floor(random() * 64)), [], [1, "a"], {}, { a: { b: [] } }, "features", "raw"],
  ]);

/** Mostly a valid map with a field or two gone astray; now and then bytes changed, cut, or from nowhere. */
function hurt(map: Record<string, unknown>): Uint8Array {
  const kind = random();
  if (kind < 0.1) return bytes(Math.floor(random() * 200));
  const changed: Record<string, unknown> = { ...map };
  if (kind < 0.75) {
    for (let n = random() < 0.5 ? 1 : 3; n > 0; n--) {
      const key = pick([...Object.keys(map), "extra", "__proto__"]);
      if (random() < 0.15) delete changed[key];
      else Object.defineProperty(changed, key, { value: strange(), enumerable: true, configurable: true, writable: true });
    }
    return encodeCbor(changed);
  }
  const encoded = Uint8Array.from(encodeCbor(changed));
  if (kind < 0.9) for (let n = 1 + Math.floor(random() * 6); n > 0; n--) encoded[Math.floor(random() * encoded.length)] = random() * 256;
  return kind < 0.95 ? encoded : encoded.subarray(0, Math.floor(random() * encoded.length));
}

const answer = (node: string): Payload<"answer"> => ({
  ...{ v: SCHEMA_VERSION, kind: "answer", node, agent: "activity", tick: 1, wallMillis: 1, label: 1, confidence: 0.5, model: "m" },
});

const textAnswer = (node: string): Payload<"text-answer"> => ({
  ...{ v: SCHEMA_VERSION, kind: "text-answer", node, agent: "assistant", tick: 1, wallMillis: 1, model: "m" },
  reply: { kind: pick(["say", "unknown"]), text: pick(["Call <PHONE_1>.", "Call <PHONE_2>.", "42 minutes"]) },
});

/** What an honest worker says to a pending ask: an answer of either kind, or a refusal. */
const replies = (node: string) =>
  pick([answer(node), textAnswer(node), { ...answer(node), kind: "refusal", reason: "r", detail: "d" } as Record<string, unknown>]);

describe("fuzzed payloads", () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  it(`${payloads}, most with valid framing, into device and worker: each counted, none crashes them, memory stays`, {
    timeout: 600_000,
  }, async () => {
    // A broker each: nobody but the fuzzer answers the device.
    const [edgeBroker, cloudBroker] = [await startBroker({ port: 0 }), await startBroker({ port: 0 })];
    closers.push(
      () => edgeBroker.close(),
      () => cloudBroker.close(),
    );
    const provider = {
      ...echoProvider(),
      async answerText(batch: readonly CloudTextQuery[]): Promise<CloudTextAnswer[]> {
        for (const { id } of batch) provider.seen.set(id, (provider.seen.get(id) ?? 0) + 1);
        return batch.map(({ question }) => ({ ok: true, reply: { kind: "say", text: question.slice(0, 400) }, model: "echo" }));
      },
    };
    const worker = startWorker({ broker: { url: cloudBroker.url }, provider, backoff, cacheEntries: 256, ledgerEntries: 1024 });
    closers.push(() => worker.close());
    await worker.ready(5000);
    const acted = new Set<string>();
    const flaws: string[] = [];
    const pending: string[] = [];
    let said = 0;
    const edge = createAsker({
      ...{ broker: { url: edgeBroker.url }, site: "lab", node: "wrist", backoff, ledgerEntries: 1024 },
      ...{ retry: { firstMillis: 3_600_000, maxMillis: 3_600_000 } },
      events: {
        onOutcome({ id, state, answer }) {
          if (acted.has(id)) flaws.push(`${id} twice`);
          if (state === "answered" && ![0, 1, 2].includes(answer!.label)) flaws.push(`label ${answer!.label}`);
          acted.add(id);
          pending.splice(pending.indexOf(id), 1);
        },
        onTextOutcome({ id, state, reply }) {
          if (acted.has(id)) flaws.push(`${id} twice`);
          if (state === "answered" && (reply!.text.length > 400 || reply!.text.includes("<PHONE_2>"))) flaws.push(`text ${reply!.text}`);
          if (state === "answered") said++;
          acted.add(id);
          pending.splice(pending.indexOf(id), 1);
        },
      },
    });
    closers.push(() => edge.close());
    const askOne = (ask: AskQuery | TextQuery = pick([query, textQuery])(1, { deadlineMillis: 86_400_000 })) => pending.push(edge.ask(ask));
    const [toEdge, toCloud] = [edgeBroker, cloudBroker].map(({ url }, n) => {
      const connection = createConnection({
        ...{ broker: { url }, clientId: `fuzzer-${n}`, clock: systemClock, random: systemRandom, backoff, keepAliveSeconds: 60 },
        ...{ cleanStart: true, sessionExpirySeconds: 0, receiveMaximum: 100, filters: () => ["dormouse/v1/lab/evil/answer"] },
        ...{ onMessage: () => {}, onState: () => {} },
      });
      closers.push(() => connection.close());
      connection.open();
      return connection;
    }) as [Connection, Connection];
    await until(() => [toEdge, toCloud, { state: edge.linkState }].every(({ state }) => state === "online"), "all are online");

    const { answer: answers } = buildTopics("lab", "wrist");
    // So many nodes that none of them asks more than a worker reads of one whose asks come to nothing.
    const evils = Array.from({ length: Math.ceil(payloads / 64) }, (_, n) => `evil-${n}`);
    const { patches, ...rest } = query();
    const askOf = (node: string) =>
      encodable({
        v: SCHEMA_VERSION,
        kind: "ask",
        node,
        wallMillis: 1,
        ...rest,
        patches: new Uint8Array(patches.buffer),
      });
    const textAskOf = (node: string) => encodable({ v: SCHEMA_VERSION, kind: "text-ask", node, wallMillis: 1, ...textQuery() });
    const known = Array.from({ length: 64 }, () => bytes(16));
    const correlation = (ids: readonly Buffer[]) => pick([undefined, bytes(16), bytes(15), bytes(0), pick(ids), pick(ids), pick(ids)]);
    const heard = () => {
      const { answered, refused, malformedAnswers, lateAnswers, duplicateAnswers, unknownAnswers } = edge.counts();
      const ignored = malformedAnswers + lateAnswers + duplicateAnswers + unknownAnswers;
      return answered + refused + edge.stats().postponed + ignored;
    };
    const taken = () => worker.stats().received + worker.stats().malformed;
    const memory = () => {
      (globalThis as { gc?: () => void }).gc?.();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };

    let toDevice = 0;
    let toWorker = 0;
    let settledAt: number | undefined;
    while (toDevice + toWorker < payloads) {
      const batch: Promise<unknown>[] = [];
      while (pending.length < 32) askOne();
      for (let n = 0; n < 100; n++) {
        const isToEdge = n % 2 === 0;
        const correlationData = correlation(isToEdge ? pending.map((id) => Buffer.from(id, "hex")) : known);
        const options = { ...(correlationData && { correlationData }) };
        if (isToEdge) {
          batch.push(toEdge.publish(answers, hurt(replies("wrist")), options));
          toDevice++;
        } else {
          const node = pick(evils);
          const evil = buildTopics("lab", node);
          const responseTopic = pick([evil.answer, evil.answer, evil.answer, answers, "dormouse/v1/lab/wrist/command/reboot", ""]);
          batch.push(
            toCloud.publish(evil.ask(pick(["activity", "assistant", "fall"])), hurt(pick([askOf, textAskOf])(node)), {
              ...options,
              ...(responseTopic && { responseTopic }),
            }),
          );
          toWorker++;
        }
      }
      for (const result of await Promise.all(batch)) expect(result).toEqual({ ok: true }); // the broker passed it on
      if (toDevice + toWorker === Math.floor(payloads / 300) * 100) settledAt = memory();
    }
    await until(() => heard() >= toDevice && taken() >= toWorker, "everything is counted");
    expect(heard()).toBe(toDevice);
    expect(taken()).toBe(toWorker);
    expect(worker.stats().unread).toBe(0);
    expect(flaws).toEqual([]);
    expect([...provider.seen.values()].every((times) => times >= 1)).toBe(true);
    expect(acted.size).toBe(edge.counts().asked - edge.counts().pending);
    expect([edge.counts().answered - said, said].every((count) => count > 0)).toBe(true); // some of each kind were whole

    // Both are alive: an honest answer is acted on, an honest ask is answered.
    pending.unshift(edge.ask(query(1, { deadlineMillis: 86_400_000 })));
    const before = edge.counts().answered;
    await toEdge.publish(answers, encodePayload(answer("wrist")), { correlationData: Buffer.from(pending[0]!, "hex") });
    await until(() => edge.counts().answered === before + 1, "the answer");
    const given = worker.stats().answered;
    const honest = buildTopics("lab", "honest");
    await toCloud.publish(honest.ask("activity"), encodeCbor(askOf("honest")), {
      correlationData: bytes(16),
      responseTopic: honest.answer,
    });
    await until(() => worker.stats().answered === given + 1, "the worker's answer");
    const grown = memory() - settledAt!;
    expect(edge.counts().malformedAnswers).toBeGreaterThan(0.5 * toDevice);
    expect(worker.stats().malformed).toBeGreaterThan(0.5 * toWorker);
    expect(grown).toBeLessThan(48);
    if (payloads >= 100_000) console.log(JSON.stringify({ payloads, ...edge.counts(), worker: worker.stats(), grownMebibytes: grown }));
  });
});

function encodable(ask: Record<string, unknown>): Record<string, unknown> {
  encodePayload(ask as Payload<"ask" | "text-ask">); // what is hurt was whole
  return ask;
}
