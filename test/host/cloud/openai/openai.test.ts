import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { retryAfterOf } from "../../../../host/cloud/openai/chat.ts";
import { createOpenAi, type OpenAiOptions } from "../../../../host/cloud/openai/openai.ts";
import { promptOf, readReply } from "../../../../host/cloud/openai/prompt.ts";
import { createSseReader } from "../../../../host/cloud/openai/sse.ts";
import type { CloudQuery } from "../../../../host/cloud/provider.ts";
import { freePort } from "../../../support/broker.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { until } from "../../../support/until.ts";
import { type ModelServer, startModelServer, streamed } from "./fake-server.ts";

const sensor = { channels: ["ax", "ay"], rateHz: 50, about: "A wrist." };
const labels = ["still", "walk", "run"];

function query(more: Partial<CloudQuery> = {}): CloudQuery {
  return {
    ...{
      id: "00".repeat(16),
      node: "n",
      agent: "a",
      imageHash: "",
      labels,
      tick: 0,
      patchBytes: 8,
      windowPatches: 2,
      deadlineAtMillis: 30_000,
    },
    patches: Int8Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 7 : (i >> 1) % 10)),
    local: { label: 1, confidenceQ15: 16384, exit: 3 },
    ...more,
  };
}

describe("the openai provider against a server on loopback", () => {
  let server: ModelServer;
  let clock: ManualClock;
  beforeAll(async () => {
    server = await startModelServer();
  });
  beforeEach(() => {
    clock = new ManualClock();
    server.heard.length = 0;
    server.respond((response) => streamed(response, '{"label":"walk","confidence":0.9}'));
  });
  afterAll(() => server.close());

  const open = (more: Partial<OpenAiOptions> = {}) => createOpenAi({ baseUrl: server.baseUrl, model: "tiny", sensor, clock, ...more });

  it("streams a reply and answers with its label, counting tokens and cost", async () => {
    const provider = open({ key: "sk-secret", budget: { pricePerMillion: { prompt: 1, completion: 10 } } });
    expect(await provider.answer([query(), query()])).toEqual([
      { ok: true, label: 1, confidence: 0.9, model: "openai:tiny" },
      { ok: true, label: 1, confidence: 0.9, model: "openai:tiny" },
    ]);
    expect(provider.figures()).toMatchObject({ requests: 2, promptTokens: 400, completionTokens: 24, cost: (400 + 240) / 1e6 });
    expect(server.heard[0]).toMatchObject({
      path: "/v1/chat/completions",
      authorization: "Bearer sk-secret",
      body: { model: "tiny", stream: true },
    });
    expect(clock.timers).toBe(0);
  });

  it("reads a server that does not stream, with a fence around its JSON, and estimates tokens that it does not count", async () => {
    server.respond((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ choices: [{ message: { content: '```json\n{"label": "Run", "confidence": 1}\n```' } }] }));
    });
    const provider = open();
    expect(await provider.answer([query()])).toMatchObject([{ ok: true, label: 2, confidence: 1 }]);
    expect(provider.figures().promptTokens).toBeGreaterThan(50);
    expect(server.heard[0]!.authorization).toBeUndefined();
  });

  it("leaves a server alone for as long as its 429 says, and comes back", async () => {
    server.respond((response) => response.writeHead(429, { "retry-after": "7" }).end());
    const provider = open({ concurrency: 1 });
    expect(await provider.answer([query(), query(), query()])).toEqual(
      Array.from({ length: 3 }, () => ({
        ok: false,
        reason: "busy",
        detail: "the model's server asks for patience",
        retryAfterMillis: 7000,
      })),
    );
    expect(server.heard).toHaveLength(1); // the others were not sent
    server.respond((response) => streamed(response, '{"label":"still","confidence":0.5}'));
    clock.advance(6999);
    expect(await provider.answer([query()])).toMatchObject([{ ok: false, retryAfterMillis: 1 }]);
    clock.advance(1);
    expect(await provider.answer([query()])).toMatchObject([{ ok: true, label: 0 }]);
    expect(provider.figures()).toMatchObject({ rateLimited: 1, requests: 2 });
  });

  it("leaves a server alone for a second whose 429 asks for nothing at all", async () => {
    const provider = open({ concurrency: 1 });
    for (const header of ["0", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", "0.001"]) {
      server.respond((response) => response.writeHead(429, { "retry-after": header }).end());
      expect(await provider.answer([query({ deadlineAtMillis: 1e6 })])).toMatchObject([{ reason: "busy", retryAfterMillis: 1000 }]);
      clock.advance(1000);
    }
    server.respond((response) => response.writeHead(500, { "retry-after": "0" }).end());
    expect(await provider.answer([query({ deadlineAtMillis: 1e6 })])).toMatchObject([{ reason: "provider", retryAfterMillis: 1000 }]);
    expect(server.heard).toHaveLength(5);
  });

  it.each([
    ["no JSON", "I think the wearer is walking."],
    ["a label that was not offered", '{"label":"flying","confidence":0.9}'],
    ["a confidence out of range", '{"label":"walk","confidence":2}'],
    ["no confidence", '{"label":"walk"}'],
    ["a broken object", '{"label":"walk","confidence":0.9'],
  ])("asks once more after %s, then refuses", async (_what, text) => {
    server.respond((response) => streamed(response, text));
    const provider = open();
    expect(await provider.answer([query()])).toMatchObject([{ ok: false, reason: "provider" }]);
    expect(provider.figures()).toMatchObject({ requests: 2, malformedReplies: 2 });
  });

  it.each([
    ["ends before [DONE]", 'data: {"choices":[{"delta":{"content":"{"}}]}\n\n'],
    ["is no JSON", "data: {oops\n\n"],
    ["carries an error", 'data: {"error":{"message":"overloaded"}}\n\n'],
    ["never ends an event", "x".repeat(300_000)],
  ])("treats a stream that %s as malformed", async (_what, text) => {
    server.respond((response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(text));
    const provider = open();
    expect(await provider.answer([query()])).toMatchObject([{ ok: false, reason: "provider" }]);
    expect(provider.figures().malformedReplies).toBe(2);
  });

  it("gives up on a server that hangs, at the timeout or the ask's deadline, whichever comes first", async () => {
    server.respond((response) => response.writeHead(200, { "content-type": "text/event-stream" }).write("data: {}\n\n"));
    const provider = open({ timeoutMillis: 5000 });
    const slow = provider.answer([query()]);
    await until(() => server.heard.length === 1, "the request is out");
    clock.advance(5000);
    expect(await slow).toMatchObject([{ ok: false, reason: "provider", retryAfterMillis: 1000 }]);
    const urgent = provider.answer([query({ deadlineAtMillis: 5200 })]);
    await until(() => server.heard.length === 2, "the second request is out");
    clock.advance(200);
    expect(await urgent).toMatchObject([{ ok: false, reason: "provider" }]);
    expect(provider.figures().timeouts).toBe(2);
  });

  it("may recover from a 500 and an unreachable server, not from a 401, and never says the key", async () => {
    const provider = open({ key: "sk-secret" });
    server.respond((response) => response.writeHead(500).end("sk-secret"));
    expect(await provider.answer([query()])).toMatchObject([{ ok: false, reason: "provider", retryAfterMillis: 1000 }]);
    server.respond((response) => response.writeHead(401).end("sk-secret"));
    const [answer] = await provider.answer([query()]);
    expect(answer).toEqual({ ok: false, reason: "provider", detail: "the server says 401: check OPENAI_API_KEY" });
    const gone = createOpenAi({ baseUrl: "http://127.0.0.1:1/v1", model: "m", sensor, clock, key: "sk-secret" });
    expect(JSON.stringify(await gone.answer([query()]))).not.toContain("sk-secret");
  });

  it.each([
    ["activations", { form: "activations", atExit: 1 }],
    ["features that are no whole frames", { patchBytes: 5 }],
    ["raw values that are no whole frames", { form: "raw", patchBytes: 6 }],
  ] as const)("refuses %s without asking anybody", async (_, more) => {
    const provider = open();
    const [answer] = await provider.answer([query({ patches: new Int8Array(60), ...more })]);
    expect(answer).toMatchObject({ ok: false, reason: "form" });
    expect(answer).not.toHaveProperty("retryAfterMillis"); // it would be no better later
    expect(server.heard).toHaveLength(0);
  });

  it("stops at its budget, with what is under way counted", async () => {
    const provider = open({ budget: { maxTokens: 900 }, concurrency: 8 });
    const answers = await provider.answer([query(), query(), query(), query()]);
    const refused = answers.filter((answer) => !answer.ok && answer.reason === "budget");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(4);
    const { promptTokens, completionTokens } = provider.figures();
    expect(promptTokens + completionTokens).toBeLessThanOrEqual(900);
    const byCost = open({ budget: { maxCost: 0.000_001, pricePerMillion: { prompt: 1, completion: 1 } } });
    expect(await byCost.answer([query()])).toMatchObject([{ ok: false, reason: "budget" }]);
  });

  it.each([
    ["before a reply", (response: ServerResponse) => response.destroy(), 1],
    [
      "in the middle of a stream",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write('data: {"choices":[{"delta":{"content":"{"}}]}\n\n', () => response.destroy());
      },
      1,
    ],
    [
      "in the middle of a reply of a stated length",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "500" });
        response.write("{", () => response.destroy());
      },
      1,
    ],
    ["with a 500", (response: ServerResponse) => response.writeHead(500).end(), 0],
    ["with a redirect", (response: ServerResponse) => response.writeHead(307, { location: "/" }).end(), 0],
  ])("counts what a request may have cost that ends %s", async (_, how, times) => {
    server.respond(how);
    const provider = open();
    const prompt = promptOf(query(), sensor).reduce((sum, { content }) => sum + content.length, 0);
    expect(await provider.answer([query()])).toMatchObject([{ ok: false, reason: "provider", retryAfterMillis: 1000 }]);
    expect(provider.figures()).toMatchObject({ requests: 1, serverErrors: 1, promptTokens: times * Math.ceil(prompt / 4) });
  });

  it("counts nothing for a server that is not there", async () => {
    const gone = open({ baseUrl: `http://127.0.0.1:${await freePort()}/v1` });
    expect(await gone.answer([query()])).toMatchObject([{ ok: false, reason: "provider" }]);
    expect(gone.figures()).toMatchObject({ requests: 1, serverErrors: 1, promptTokens: 0 });
  });

  it("refuses base URLs that cannot work, or that would show the key", () => {
    for (const baseUrl of ["nonsense", "ftp://host/v1", "http://user:pass@127.0.0.1/v1"]) {
      expect(() => open({ baseUrl })).toThrow(/base URL/);
    }
    expect(() => open({ baseUrl: "http://example.com/v1", key: "sk" })).toThrow(/plain text/);
    expect(() => open({ baseUrl: "http://example.com/v1" })).not.toThrow();
    expect(() => open({ baseUrl: "https://example.com/v1", key: "sk" })).not.toThrow();
  });
});

describe("what a language model reads and says", () => {
  it("has each channel's statistics of window and context, the device's guess, and the labels", () => {
    const [system, user] = promptOf(query(), sensor);
    expect(system!.content).toContain("JSON");
    expect(user!.content).toContain('"still", "walk", "run"');
    expect(user!.content).toContain('"walk" with probability 0.500');
    expect(user!.content).toContain("The last 0.16 s");
    expect(user!.content).toContain("All 0.64 s");
    expect(user!.content).toContain("ax: mean 7.0, sd 0.0, min 7, max 7, mean crossings 0.0/s");
    expect(user!.content).toMatch(/ay: mean 4\.\d, sd 2\.\d, min 0, max 9/);
    const raw = promptOf(
      query({ form: "raw", patches: new Int8Array(Int16Array.of(1000, -1000, 1000, 3000).buffer), patchBytes: 8, windowPatches: 1 }),
      sensor,
    );
    expect(raw[1]!.content).toContain("ay: mean 1000.0, sd 2000.0, min -1000, max 3000");
  });

  it("is read from any text without a crash, and only offered labels come out", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record({ label: fc.oneof(fc.constantFrom(...labels), fc.string()), confidence: fc.double() })
            .map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const reply = readReply(text, labels);
          if (reply.ok) {
            expect(labels[reply.label]).toBeDefined();
            expect(reply.confidence).toBeGreaterThanOrEqual(0);
            expect(reply.confidence).toBeLessThanOrEqual(1);
          } else expect(reply.flaw.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("comes in events whatever the packets, line ends and comments", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[ -~äöü]{0,20}$/), { maxLength: 8 }),
        fc.constantFrom("\n", "\r\n"),
        fc.integer({ min: 1, max: 30 }),
        (events, end, packet) => {
          const bytes = new TextEncoder().encode(events.map((event) => `: hm${end}event: x${end}data: ${event}${end}${end}`).join(""));
          const reader = createSseReader();
          const got: string[] = [];
          for (let at = 0; at < bytes.length; at += packet) got.push(...reader.push(bytes.subarray(at, at + packet)));
          expect(got).toEqual(events);
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => Array.isArray(createSseReader().push(bytes))));
  });

  it("says in seconds or as a date how long to wait", () => {
    expect(retryAfterOf("2", 0)).toBe(2000);
    expect(retryAfterOf("Thu, 01 Jan 1970 00:00:05 GMT", 2000)).toBe(3000);
    expect(retryAfterOf("-4", 0)).toBe(0);
    expect(retryAfterOf("1e12", 0)).toBe(3_600_000);
    expect([retryAfterOf(null, 0), retryAfterOf("soon", 0), retryAfterOf(" ", 0)]).toEqual([undefined, undefined, undefined]);
  });
});
