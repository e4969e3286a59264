import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import type { TextOutcome } from "../../../../host/mqtt/wire/ask.ts";
import { unknownPlaceholder } from "../../../../host/mqtt/wire/text-ask.ts";
import { freePort } from "../../../support/broker.ts";
import { echoProvider } from "../../../support/echo-provider.ts";
import { textQuery } from "../../../support/query.ts";
import { until } from "../../../support/until.ts";

const backoff = { firstMillis: 20, maxMillis: 100 };

describe("a text ask", () => {
  let folder: string;
  let closers: (() => Promise<void>)[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dormouse-text-"));
  });
  afterEach(async () => {
    for (const close of closers.reverse()) await close();
    closers = [];
    rmSync(folder, { recursive: true });
  });

  it("outlives the process that asked: the next one gets the reply, once, with the question", async () => {
    const path = join(folder, "outbox.log");
    const port = await freePort(); // nobody listens there yet
    const options = { broker: { url: `mqtt://127.0.0.1:${port}` }, site: "lab", node: "wrist", backoff };
    const first = createAsker({ ...options, outbox: openOutbox({ path, fsync: "none" }), events: { onOutcome: () => {} } });
    const id = first.ask(textQuery(1));
    await first.close();
    const broker = await startBroker({ port });
    closers.push(() => broker.close());
    const provider = {
      ...echoProvider(),
      answerText: async (batch: readonly unknown[]) =>
        batch.map(() => ({ ok: true, reply: { kind: "say", text: "Yes." }, model: "m" }) as const),
    };
    const worker = startWorker({ broker: { url: broker.url }, provider, backoff });
    closers.push(() => worker.close());
    await worker.ready(5000);
    const texts: TextOutcome[] = [];
    const events = { onOutcome: () => {}, onTextOutcome: (outcome: TextOutcome) => texts.push(outcome) };
    const second = createAsker({ ...options, outbox: openOutbox({ path, fsync: "none" }), events });
    closers.push(() => second.close());
    expect(await second.drain(5000)).toBe(true);
    expect(texts).toMatchObject([{ id, state: "answered", question: textQuery(1).question, reply: { kind: "say", text: "Yes." } }]);
    expect(worker.stats()).toMatchObject({ received: 1, answered: 1 });
  });

  it("leaves with its declared fields only, whatever else its objects carry", async () => {
    const path = join(folder, "outbox.log");
    const broker = { url: `mqtt://127.0.0.1:${await freePort()}` };
    const edge = createAsker({ broker, site: "lab", node: "wrist", outbox: openOutbox({ path }), events: { onOutcome: () => {} } });
    const { facts, said, ...rest } = textQuery();
    const secret = { restore: "+49 171 5550123" };
    edge.ask({
      ...rest,
      ...secret,
      facts: facts.map((fact) => ({ ...fact, ...secret })),
      said: said.map((one) => ({ ...one, ...secret })),
    });
    await until(() => edge.counts().pending === 1, "it is in the outbox");
    await edge.close();
    const log = readFileSync(path);
    expect(log.includes("May <NAME_1> walk")).toBe(true);
    expect(log.includes("5550123")).toBe(false);
  });

  it("is refused at once above a bound, and nothing is sent", async () => {
    const broker = { url: `mqtt://127.0.0.1:${await freePort()}` };
    const texts: TextOutcome[] = [];
    const events = { onOutcome: () => {}, onTextOutcome: (outcome: TextOutcome) => texts.push(outcome) };
    const edge = createAsker({ broker, site: "lab", node: "wrist", events });
    closers.push(() => edge.close());
    for (const question of ["", "x".repeat(1001), "a\u0000b"]) edge.ask(textQuery(0, { question }));
    expect(texts.map(({ state }) => state)).toEqual(["refused", "refused", "refused"]);
    expect(texts[1]!.reason).toMatch(/question/);
    expect(edge.counts()).toMatchObject({ asked: 3, refused: 3, pending: 0 });
  });
});

describe("placeholders of a reply", () => {
  const ask = textQuery(0, { question: "Call <PHONE_1>, not <PHONE_2>." });
  it.each([
    ["Call <PHONE_1> and <PHONE_2>.", undefined],
    ["No placeholder: a < b_1 and b > c", undefined],
    ["Call <PHONE_3>.", "<PHONE_3>"],
    ["Call <phone_1>.", "<phone_1>"],
    ["Call < PHONE_1 >.", "< PHONE_1 >"],
    ["<EMAIL_1><PHONE_1>", "<EMAIL_1>"],
  ])("%j names the unknown %j", (text, unknown) => {
    expect(unknownPlaceholder(text, ask)).toBe(unknown);
  });
});
