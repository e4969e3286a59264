import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOpenAi, type OpenAiOptions } from "../../../../host/cloud/openai/openai.ts";
import { promptOf } from "../../../../host/cloud/openai/prompt.ts";
import { freePort } from "../../../support/broker.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { until } from "../../../support/until.ts";
import { type ModelServer, startModelServer, streamed } from "./fake-server.ts";
import { query, sensor } from "./sensor-query.ts";

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
        detail: "the model's server is busy: the server says 429",
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
    expect(await slow).toMatchObject([{ ok: false, reason: "timeout", retryAfterMillis: 1000 }]);
    const urgent = provider.answer([query({ deadlineAtMillis: 5200 })]);
    await until(() => server.heard.length === 2, "the second request is out");
    clock.advance(200);
    expect(await urgent).toMatchObject([{ ok: false, reason: "timeout" }]);
    expect(provider.figures().timeouts).toBe(2);
  });

  it("may recover from a 500 and an unreachable server, not from a 401, and never says the key", async () => {
    const provider = open({ key: "sk-secret" });
    server.respond((response) => response.writeHead(500).end("sk-secret"));
    expect(await provider.answer([query()])).toMatchObject([{ ok: false, reason: "provider", retryAfterMillis: 1000 }]);
    server.respond((response) => response.writeHead(401).end("sk-secret"));
    const [answer] = await provider.answer([query()]);
    expect(answer).toEqual({ ok: false, reason: "provider", detail: "the server says 401: check OPENAI_API_KEY: (key)" });
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

  it("tells what is spent, a request under way with the most that it may use", async () => {
    const spent: number[] = [];
    const provider = open({ onSpent: ({ tokens }) => spent.push(tokens) });
    await provider.answer([query()]);
    expect(spent).toHaveLength(2);
    expect(spent[0]).toBeGreaterThan(212);
    expect(spent[1]).toBe(212);
  });

  it("stops at its budget, with what is under way counted", async () => {
    const provider = open({ budget: { maxTokens: 900 }, concurrency: 8 });
    const answers = await provider.answer(["a", "b", "c", "d"].map((node) => query({ node })));
    const refused = answers.filter((answer) => !answer.ok && answer.reason === "budget");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(4);
    const { promptTokens, completionTokens } = provider.figures();
    expect(promptTokens + completionTokens).toBeLessThanOrEqual(900);
    const byCost = open({ budget: { maxCost: 0.000_001, pricePerMillion: { prompt: 1, completion: 1 } } });
    expect(await byCost.answer([query()])).toMatchObject([{ ok: false, reason: "budget" }]);
  });

  it("one node asks without end → its share ends, never above half, and a node that comes later is still answered", async () => {
    const provider = open({ budget: { maxTokens: 3000 }, concurrency: 1 });
    const reasons = (await provider.answer(Array.from({ length: 20 }, () => query({ node: "greedy" })))).map((one) => one.ok || one.reason);
    expect(new Set(reasons)).toEqual(new Set([true, "budget"]));
    const { promptTokens, completionTokens } = provider.figures();
    expect(promptTokens + completionTokens).toBeLessThanOrEqual(1500);
    expect(await provider.answer([query({ node: "late" })])).toMatchObject([{ ok: true }]);
    expect(await provider.answer([query({ node: "greedy" })])).toMatchObject([{ ok: false, reason: "budget" }]);
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

  it.each([
    ["a whole reply", "application/json", '{"error":{"message":"too many requests","code":429}}'],
    [
      "a stream",
      "Text/Event-Stream",
      'data: {"choices":[{"delta":{"content":"{"}}]}\n\ndata: {"error":{"message":"queue full","code":503}}\n\ndata: [DONE]\n\n',
    ],
  ])("leaves a server alone that is busy with status 200, in %s", async (_, type, body) => {
    server.respond((response) => response.writeHead(200, { "content-type": type, "retry-after": "3" }).end(body));
    const provider = open();
    const [answer] = await provider.answer([query()]);
    expect(answer).toMatchObject({ ok: false, reason: "busy", retryAfterMillis: 3000 });
    expect(await provider.answer([query()])).toMatchObject([{ reason: "busy" }]);
    expect(server.heard).toHaveLength(1);
    expect(provider.figures()).toMatchObject({ rateLimited: 1, malformedReplies: 0 });
  });

  it("takes a finished reply from a server that holds the connection, or breaks it", async () => {
    const finished = `data: ${JSON.stringify({ choices: [{ delta: { content: '{"label":"run","confidence":1}' }, finish_reason: "stop" }] })}\n\n`;
    let isSent = false;
    server.respond((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(finished, () => {
        isSent = true;
      });
    });
    const provider = open();
    const held = provider.answer([query()]);
    await until(() => isSent && clock.timers > 0, "the reply is out");
    let result: unknown;
    void held.then((answers) => {
      result = answers;
    });
    await until(() => {
      clock.advance(100);
      return result !== undefined;
    }, "the reply is taken");
    expect(result).toMatchObject([{ ok: true, label: 2 }]);
    server.respond((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(finished, () => response.destroy());
    });
    expect(await open().answer([query()])).toMatchObject([{ ok: true, label: 2 }]);
    expect(provider.figures()).toMatchObject({ requests: 1, timeouts: 0 });
  });

  it("asks once for a reply that is cut at the limit, and says what to raise", async () => {
    const cut = (text: string) =>
      server.respond((response) =>
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(`data: ${JSON.stringify({ choices: [{ delta: { content: text }, finish_reason: "length" }] })}\n\ndata: [DONE]\n\n`),
      );
    cut("<think>The wearer may be ");
    const provider = open({ maxTokens: 300 });
    const [answer] = await provider.answer([query()]);
    expect(answer).toMatchObject({ ok: false, reason: "provider", detail: expect.stringMatching(/300 tokens.*--max-tokens/) });
    expect(answer).not.toHaveProperty("retryAfterMillis");
    expect(server.heard).toHaveLength(1);
    expect(server.heard[0]!.body.max_tokens).toBe(300);
    cut('{"label":"run","confidence":1} and more'); // cut after the answer
    expect(await provider.answer([query()])).toMatchObject([{ ok: true, label: 2 }]);
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
