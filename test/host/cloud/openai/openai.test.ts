import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOpenAi, type OpenAiOptions } from "../../../../host/cloud/openai/openai.ts";
import { promptOf } from "../../../../host/cloud/openai/prompt.ts";
import { sensorFacts } from "../../../../host/cloud/openai/sensor-facts.ts";
import type { CloudQuery } from "../../../../host/cloud/provider.ts";
import { freePort } from "../../../support/broker.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { until } from "../../../support/until.ts";
import { type Heard, type ModelServer, startModelServer, streamed } from "./fake-server.ts";

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

  describe("a server that refuses a parameter", () => {
    const unless = (isRefused: (body: Heard["body"]) => boolean, refusal: string, status = 400) =>
      server.respond((response, { body }) => {
        if (isRefused(body)) response.writeHead(status, { "content-type": "application/json" }).end(refusal);
        else streamed(response, '{"label":"walk","confidence":0.9}');
      });

    it.each([
      ["LM Studio", "response_format", `{"error":"'response_format.type' must be 'json_schema' or 'text'"}`],
      [
        "a server without usage",
        "stream_options",
        '{"error":{"message":"extra fields not permitted: stream_options","type":"BadRequestError","code":400}}',
      ],
      [
        "OpenAI's reasoning models",
        "max_tokens",
        `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}`,
      ],
      [
        "OpenAI's reasoning models, again",
        "temperature",
        `{"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model.","param":"temperature","code":"unsupported_value"}}`,
      ],
    ])("is asked again without it, once: %s", async (_, parameter, refusal) => {
      unless((body) => parameter in body, refusal);
      const told: string[] = [];
      const provider = open({ onTrouble: (code) => told.push(code) });
      expect(await provider.answer([query()])).toMatchObject([{ ok: true, label: 1 }]);
      expect(await provider.answer([query(), query()])).toMatchObject([{ ok: true }, { ok: true }]);
      expect(server.heard.map(({ body }) => parameter in body)).toEqual([true, false, false, false]);
      expect(told).toEqual(["OPENAI_ADAPTED"]);
      expect(parameter === "max_tokens" ? server.heard[1]!.body.max_completion_tokens : 64).toBe(64);
    });

    it("gets one message if its template knows no system role", async () => {
      unless(({ messages }) => messages[0]!.role === "system", '{"error":{"message":"System role not supported","code":500}}', 500);
      const provider = open();
      expect(await provider.answer([query()])).toMatchObject([{ ok: true }]);
      expect(server.heard.at(-1)!.body.messages.map(({ role }) => role)).toEqual(["user"]);
    });

    it("is asked without response_format if it gives no reason, and never again if that does not help", async () => {
      unless((body) => "response_format" in body, "Bad Request");
      const provider = open();
      expect(await provider.answer([query()])).toMatchObject([{ ok: true }]);
      expect(await provider.answer([query()])).toMatchObject([{ ok: true }]);
      expect(server.heard).toHaveLength(3);
      server.heard.length = 0;
      unless(() => true, "Bad Request");
      const other = open();
      for (let i = 0; i < 3; i++)
        expect(await other.answer([query()])).toMatchObject([
          { ok: false, reason: "provider", detail: "the server says 400: Bad Request" },
        ]);
      expect(server.heard).toHaveLength(4);
    });

    it("is asked by requests under way at once no more than once each again", async () => {
      unless((body) => "response_format" in body, '{"error":"response_format is unknown"}');
      const provider = open({ concurrency: 8 });
      const answers = await provider.answer(Array.from({ length: 8 }, () => query()));
      expect(answers.every(({ ok }) => ok)).toBe(true);
      expect(server.heard.length).toBeLessThanOrEqual(16);
    });

    it("says why in the refusal and in the log if all of it is refused", async () => {
      unless(() => true, '{"error": "response_format.type: only json_schema and text are known\\u001b[2J here"}');
      const told: string[] = [];
      const provider = open({ onTrouble: (code, detail) => told.push(`${code} ${detail}`) });
      const words = "the server says 400: response_format.type: only json_schema and text are known\\u001b[2J here";
      expect(await provider.answer([query()])).toEqual([{ ok: false, reason: "provider", detail: words }]);
      expect(server.heard).toHaveLength(2);
      expect(told).toEqual([`OPENAI_ADAPTED asking again without it: ${words}`, `OPENAI_REJECTED ${words}`]);
      for (let i = 0; i < 20; i++) await provider.answer([query()]);
      expect(server.heard).toHaveLength(22); // it is remembered all the same
      expect(told).toHaveLength(2);
      clock.advance(10_000);
      await provider.answer([query({ deadlineAtMillis: 1e6 })]);
      expect(told[2]).toBe(`OPENAI_REJECTED ${words} (20 more like it were not reported)`);
    });
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

describe("what a language model reads", () => {
  it("has facts computed of the window, the device's guess and the labels, and no channel statistics", () => {
    const [system, user] = promptOf(query(), sensor);
    expect(system!.content).toContain("JSON");
    expect(user!.content).toContain('"still", "walk", "run"');
    expect(user!.content).toContain('"walk" with probability 0.500');
    expect(user!.content).toContain("Computed of the last 0.16 s of the last 0.64 s:");
    expect(user!.content).toMatch(/^ax, ay: .*; it changes .* before; its resting value is as before\.$/m);
    expect(user!.content).not.toMatch(/mean|sd |min |max /);
  });
});

describe("facts of a window", () => {
  const rateHz = 50;
  const swing = (hz: number, size: number, rest: number) => (i: number) => [
    Math.round(rest + size * Math.sin((2 * Math.PI * hz * i) / rateHz)),
  ];
  const frames = (count: number, of: (i: number) => number[]) => Array.from({ length: count }, (_, i) => of(i));
  const factsOf = (before: number[][], window: number[][]) =>
    sensorFacts([...before, ...window], window.length, { channels: ["a"], rateHz })[0];

  it.each([
    [
      "a rhythm that goes on",
      factsOf(frames(200, swing(2, 40, 0)), frames(100, swing(2, 40, 0))),
      "a: change that repeats 2.0 times per second; it changes about as much as before; its resting value is as before.",
    ],
    [
      "a rhythm after rest, elsewhere",
      factsOf(
        frames(200, () => [0]),
        frames(100, swing(1, 20, 90)),
      ),
      "a: change that repeats 1.0 times per second; it did not change before; its resting value has shifted.",
    ],
    [
      "rest after a rhythm",
      factsOf(
        frames(200, swing(2, 40, 0)),
        frames(100, () => [0]),
      ),
      "a: no change; it changes less than before; its resting value is as before.",
    ],
    [
      "one push",
      factsOf(
        [],
        frames(100, (i) => [i === 50 ? 90 : 0]),
      ),
      "a: change without a rhythm.",
    ],
  ])("say %s", (_, fact, expected) => expect(fact).toBe(expected));
});
