import { afterEach, describe, expect, it, type TestContext } from "vitest";
import type { AssistantOptions } from "../../../host/assistant/assistant.ts";
import { createOpenAi } from "../../../host/cloud/openai/openai.ts";
import { startWorker } from "../../../host/cloud/worker.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import { compareLedgers } from "../../../host/mqtt/outbox/ledger.ts";
import { hasMosquitto, mosquittoBroker, type TestBroker } from "../../support/broker.ts";
import { type Capture, createCapture } from "../../support/capture.ts";
import { startTcpProxy } from "../../support/chaos/tcp-proxy.ts";
import { importLlama } from "../../support/llama/import-llama.ts";
import { type LlamaServer, startLlamaServer } from "../../support/llama/llama-server.ts";
import { writeStoryGguf } from "../../support/llama/story-gguf.ts";
import { dataDir, noData, requireAll } from "../../support/require.ts";
import { until } from "../../support/until.ts";
import { fakeAssistant } from "./fakes.ts";

const backoff = { firstMillis: 20, maxMillis: 100 };
const [NAME, PHONE, CARD] = ["Anna", "+49 171 5550123", "4111 1111 1111 1111"];
const SECRETS = [NAME, PHONE, CARD];
const QUESTION = `Shall I tell ${NAME} to call ${PHONE}, and may she pay with ${CARD}?`;
/** The placeholders that a larger model would copy, and then stories260K's own words. */
const REPLY = String.raw`root ::= "{\"kind\":\"say\",\"text\":\"Tell <NAME_1> to call <PHONE_1> and pay with <CARD_1>: " [a-z ]{20,60} "\"}"`;
const RESTORED = /^Tell Anna to call \+49 171 5550123 and pay with 4111 1111 1111 1111: [a-z ]{20,60}$/;

describe("an assistant that asks llama.cpp over mosquitto", () => {
  let closers: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.reverse()) await close();
    closers = [];
  });

  async function openLlama(context: TestContext): Promise<LlamaServer> {
    const llama = await importLlama(context);
    const data = dataDir();
    if (data === undefined) return context.skip(noData);
    const model = writeStoryGguf(data);
    closers.push(() => model.remove());
    const server = await startLlamaServer(llama, { modelPath: model.path, gbnf: REPLY });
    closers.push(() => server.close());
    return server;
  }

  /** Both ends reach the broker through a wire that keeps all that it carries. */
  async function open(context: TestContext) {
    if (!hasMosquitto() && !requireAll) context.skip("mosquitto not installed");
    const llama = await openLlama(context);
    const broker: TestBroker = await mosquittoBroker();
    closers.push(() => broker.close());
    const capture: Capture = createCapture();
    const wire = await startTcpProxy(Number(new URL(broker.url).port), Math.random, capture.add);
    closers.push(() => wire.close());
    const url = `mqtt://127.0.0.1:${wire.port}`;
    const provider = createOpenAi({
      baseUrl: llama.baseUrl,
      model: "stories260K",
      sensor: { channels: ["ax"], rateHz: 50, about: "A wrist." },
    });
    const worker = startWorker({ broker: { url }, provider, backoff });
    closers.push(() => worker.close());
    expect(await worker.ready(60_000)).toBe(true);
    const connect: AssistantOptions["connect"] = (events) =>
      createAsker({ broker: { url }, site: "home", node: "wrist-1", backoff, events });
    const device = fakeAssistant({ text: true, share: ["activity", "time"], deadlineSeconds: 600 }, { connect });
    closers.push(async () => {
      await device.assistant.close();
      device.remove();
    });
    device.did("sitting", 2000);
    await until(() => device.assistant.linkState === "online", "the device is online");
    return { llama, broker, capture, worker, ...device };
  }

  it("gets name, phone and card back in the answer; none of them crosses the broker or reaches the model", async (context) => {
    const { assistant, capture, llama } = await open(context);
    const answer = await assistant.ask(QUESTION);
    expect(answer).toMatchObject({ by: "cloud", why: "unsure", state: "answered", text: expect.stringMatching(RESTORED) });
    expect(capture.leaks(SECRETS)).toEqual([]);
    expect(capture.leaks(["<PHONE_1>", "<CARD_1>"])).not.toEqual([]); // the capture sees what does cross
    const prompt = JSON.stringify(llama.heard);
    for (const secret of SECRETS) expect(prompt).not.toContain(secret);
  });

  it("broker killed → says so at once, local answers go on, the ask is answered once when it is back", async (context) => {
    const { assistant, broker, told, worker, capture } = await open(context);
    await broker.kill();
    await until(() => assistant.linkState !== "online", "the device knows");
    await until(() => assistant.linkState === "offline", "a try has failed");
    expect(await assistant.ask(QUESTION)).toMatchObject({ by: "template", state: "saved" });
    expect(await assistant.ask("how long have I been sitting?")).toMatchObject({ by: "device", state: "answered", why: "local" });
    await broker.start();
    await until(() => told.length === 1, "the answer");
    expect(told[0]).toMatchObject({
      question: QUESTION,
      answer: { by: "cloud", state: "answered", text: expect.stringMatching(RESTORED) },
    });
    expect(assistant.counts()).toMatchObject({ asked: 1, answered: 1, saved: 1 });
    expect(compareLedgers(assistant.asker!.ledger(), worker.ledger())).toMatchObject({ asked: 1, answered: 1, lost: 0 });
    expect(capture.leaks(SECRETS)).toEqual([]);
  });
});

describe("the capture", () => {
  const text = `pay with ${CARD}`;
  it.each([
    ["as it is", Buffer.from(text)],
    ["without its spaces", Buffer.from(text.replace(/ /g, ""))],
    ["in base64", Buffer.from(Buffer.from(text).toString("base64"))],
    ["in base64, a byte on", Buffer.from(Buffer.from(`-${text}`).toString("base64"))],
    ["in base64, two bytes on", Buffer.from(Buffer.from(`--${text}`).toString("base64url"))],
    ["in UTF-16", Buffer.from(text, "utf16le")],
    ["in hex", Buffer.from(Buffer.from(text).toString("hex"))],
  ])("finds a card number %s, in pieces of 7 bytes", (_, bytes) => {
    const capture = createCapture();
    for (let at = 0; at < bytes.length; at += 7) {
      capture.add("0 out", bytes.subarray(at, at + 7));
      capture.add("0 in", Buffer.from("something else"));
    }
    expect(capture.leaks([CARD])).not.toEqual([]);
    expect(capture.leaks(["5555 5555 5555 4444"])).toEqual([]);
  });
});
