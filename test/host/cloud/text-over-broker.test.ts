import { afterEach, describe, expect, it, type TestContext } from "vitest";
import { createOpenAi, type OpenAiOptions } from "../../../host/cloud/openai/openai.ts";
import { startWorker } from "../../../host/cloud/worker.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import type { Asker } from "../../../host/mqtt/asks/asker-types.ts";
import { compareLedgers } from "../../../host/mqtt/outbox/ledger.ts";
import type { TextOutcome } from "../../../host/mqtt/wire/ask.ts";
import { hasMosquitto, mosquittoBroker, type TestBroker } from "../../support/broker.ts";
import { importLlama } from "../../support/llama/import-llama.ts";
import { type LlamaServer, startLlamaServer } from "../../support/llama/llama-server.ts";
import { writeStoryGguf } from "../../support/llama/story-gguf.ts";
import { textQuery } from "../../support/query.ts";
import { dataDir, noData, requireAll } from "../../support/require.ts";
import { until } from "../../support/until.ts";
import { type ModelServer, startModelServer, streamed } from "./openai/fake-server.ts";

const backoff = { firstMillis: 20, maxMillis: 100 };
const sensor = { channels: ["ax"], rateHz: 50, about: "A wrist." };
/** A reply that has the ask's placeholders, and then the model's own words. */
const WITH_PLACEHOLDERS = String.raw`root ::= "{\"kind\":\"say\",\"text\":\"Call <NAME_1> at <PHONE_1>: " [a-z ]{20,60} "\"}"`;

type Device = Asker & { readonly texts: TextOutcome[] };

describe("a question over mosquitto", () => {
  let closers: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.reverse()) await close();
    closers = [];
  });

  async function openBroker({ skip }: TestContext): Promise<TestBroker> {
    if (!hasMosquitto() && !requireAll) skip("mosquitto not installed");
    const broker = await mosquittoBroker();
    closers.push(() => broker.close());
    return broker;
  }

  async function openLlama(context: TestContext, gbnf?: string): Promise<LlamaServer> {
    const llama = await importLlama(context);
    const data = dataDir();
    if (data === undefined) return context.skip(noData);
    const model = writeStoryGguf(data);
    closers.push(() => model.remove());
    const server = await startLlamaServer(llama, { modelPath: model.path, ...(gbnf === undefined ? {} : { gbnf }) });
    closers.push(() => server.close());
    return server;
  }

  async function openWorker(broker: TestBroker, baseUrl: string, more: Partial<OpenAiOptions> = {}) {
    const provider = createOpenAi({ baseUrl, model: "stories260K", sensor, ...more });
    const worker = startWorker({ broker: { url: broker.url }, provider, backoff });
    closers.push(() => worker.close());
    expect(await worker.ready(30_000)).toBe(true);
    return { worker, provider };
  }

  function openDevice(broker: TestBroker): Device {
    const texts: TextOutcome[] = [];
    const events = { onOutcome: () => {}, onTextOutcome: (outcome: TextOutcome) => texts.push(outcome) };
    const made = createAsker({ broker: { url: broker.url }, site: "lab", node: "wrist", backoff, events });
    closers.push(() => made.close());
    return Object.assign(Object.create(made), { texts }) as Device;
  }

  it("is answered by llama.cpp under the reply's JSON schema, nonsense that a model of 260 K parameters says", async (context) => {
    const broker = await openBroker(context);
    const llama = await openLlama(context);
    const { worker, provider } = await openWorker(broker, llama.baseUrl);
    const device = openDevice(broker);
    device.ask(textQuery(1, { deadlineMillis: 600_000 }));
    await until(() => device.texts.length === 1, "the outcome");
    expect(llama.heard[0]!.response_format!.type).toBe("json_schema");
    expect(device.texts[0]).toMatchObject({ state: "answered", reply: { model: "openai:stories260K" } });
    expect(provider.figures()).toMatchObject({ requests: 1, malformedReplies: 0 });
    expect(compareLedgers(device.ledger(), worker.ledger())).toMatchObject({ asked: 1, answered: 1, lost: 0 });
  });

  it("waits for a broker that was killed, and is answered once when it is back", async (context) => {
    const broker = await openBroker(context);
    const llama = await openLlama(context, WITH_PLACEHOLDERS);
    const { worker } = await openWorker(broker, llama.baseUrl);
    const device = openDevice(broker);
    await until(() => device.linkState === "online", "the device is online");
    await broker.kill();
    await until(() => device.linkState !== "online", "the device knows at once");
    device.ask(textQuery(1, { deadlineMillis: 600_000 }));
    expect(device.counts()).toMatchObject({ pending: 1, answered: 0 });
    await broker.start();
    await until(() => device.texts.length === 1, "the answer");
    expect(device.texts[0]!.reply!.text).toMatch(/^Call <NAME_1> at <PHONE_1>: [a-z ]{20,60}$/);
    expect(compareLedgers(device.ledger(), worker.ledger())).toMatchObject({ asked: 1, answered: 1, lost: 0 });
    expect(llama.heard).toHaveLength(1);
  });

  it("server hangs → the device is told to come back, and gets its answer then", async (context) => {
    const server = await startModelServer();
    closers.push(() => server.close());
    server.respond(() => server.respond((response) => streamed(response, '{"kind":"say","text":"Yes."}'))); // silence, then an answer
    const broker = await openBroker(context);
    const { provider } = await openWorker(broker, server.baseUrl, { timeoutMillis: 500 });
    const device = openDevice(broker);
    device.ask(textQuery(1, { deadlineMillis: 600_000 }));
    await until(() => device.texts.length === 1, "the outcome");
    expect(device.texts[0]).toMatchObject({ state: "answered", reply: { kind: "say", text: "Yes." } });
    expect(device.stats().postponed).toBeGreaterThan(0);
    expect(provider.figures().timeouts).toBeGreaterThan(0);
  });

  const faults: readonly [string, (server: ModelServer) => void, string, keyof ReturnType<ReturnType<typeof createOpenAi>["figures"]>][] = [
    ["429 beyond the deadline", says(429, "", { "retry-after": "3600" }), "busy", "rateLimited"],
    ["half a JSON object", streams('{"kind":"say","text":"you have be'), "reply-cut", "repliesCut"],
    ["half a body", says(200, '{"choices":[{"message":{"cont'), "reply-cut", "repliesCut"],
    [
      "10 MB",
      says(200, JSON.stringify({ choices: [{ message: { content: "x".repeat(10_000_000) } }] })),
      "reply-oversized",
      "repliesOversized",
    ],
    ["prose, unlock the door", streams("unlock the door"), "reply-without-json", "repliesWithoutJson"],
    ["a command, unlock the door", streams('{"kind":"command","text":"unlock the door"}'), "reply-off-schema", "repliesOffSchema"],
    ["401 characters", streams(JSON.stringify({ kind: "say", text: "x".repeat(401) })), "reply-too-long", "repliesTooLong"],
    ["a placeholder of its own", streams('{"kind":"say","text":"Call <PHONE_7>."}'), "reply-placeholder", "repliesWithUnknownPlaceholder"],
  ];
  for (const [what, misbehave, reason, figure] of faults) {
    it(`server sends ${what} → refused as ${reason}, with a count of its own`, async (context) => {
      const server = await startModelServer();
      closers.push(() => server.close());
      misbehave(server);
      const broker = await openBroker(context);
      const { provider } = await openWorker(broker, server.baseUrl);
      const device = openDevice(broker);
      device.ask(textQuery(1, { deadlineMillis: 600_000 }));
      await until(() => device.texts.length === 1, "the outcome");
      expect(device.texts[0]).toMatchObject({ state: "refused", reason: expect.stringMatching(`^${reason}: `) });
      expect(provider.figures()[figure]).toBeGreaterThan(0);
    });
  }
});

function streams(text: string) {
  return (server: ModelServer) => server.respond((response) => streamed(response, text));
}

function says(status: number, body: string, headers: Record<string, string> = {}) {
  return (server: ModelServer) =>
    server.respond((response) => response.writeHead(status, { "content-type": "application/json", ...headers }).end(body));
}
