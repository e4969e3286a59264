import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOpenAi, type OpenAiOptions } from "../../../../host/cloud/openai/openai.ts";
import { readTextAnswer } from "../../../../host/cloud/openai/read-text-answer.ts";
import { textPrompt } from "../../../../host/cloud/openai/text-prompt.ts";
import type { CloudTextQuery } from "../../../../host/cloud/provider.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { textQuery } from "../../../support/query.ts";
import { until } from "../../../support/until.ts";
import { type ModelServer, startModelServer, streamed } from "./fake-server.ts";

const sensor = { channels: ["ax"], rateHz: 50, about: "A wrist." };
const random = (count: number) => new Uint8Array(count).fill(0xab);
const say = (text: string, more: object = {}) => JSON.stringify({ kind: "say", text, ...more });

function query(more: Partial<CloudTextQuery> = {}): CloudTextQuery {
  const { deadlineMillis, ...rest } = textQuery();
  return { ...rest, id: "00".repeat(16), node: "n", deadlineAtMillis: 30_000, ...more };
}

describe("a text ask to a server on loopback", () => {
  let server: ModelServer;
  let clock: ManualClock;
  beforeAll(async () => {
    server = await startModelServer();
  });
  beforeEach(() => {
    clock = new ManualClock();
    server.heard.length = 0;
    server.respond((response) => streamed(response, say("Ask <NAME_1>.")));
  });
  afterAll(() => server.close());

  const open = (more: Partial<OpenAiOptions> = {}) =>
    createOpenAi({ baseUrl: server.baseUrl, model: "tiny", sensor, clock, random, ...more });
  const ask = async (provider = open(), more: Partial<CloudTextQuery> = {}) => (await provider.answerText!([query(more)]))[0]!;

  it("sends facts, what was said and the question between boundaries, with a schema for the reply", async () => {
    expect(await ask()).toEqual({ ok: true, reply: { kind: "say", text: "Ask <NAME_1>." }, model: "openai:tiny" });
    const { messages, response_format, max_tokens } = server.heard[0]!.body;
    const boundary = "ab".repeat(12);
    expect(messages[1]!.content.split("\n")).toEqual([
      boundary,
      "Facts:",
      '"You have been sitting for 42 minutes."',
      "Said before:",
      '"what am I doing" was answered by the device: "You are sitting."',
      "Question:",
      '"May <NAME_1> walk again after 0 minutes of sitting? Call <PHONE_1>."',
      boundary,
    ]);
    expect(messages[0]!.content).toContain(boundary);
    expect(response_format).toMatchObject({ type: "json_schema", json_schema: { schema: { required: ["kind", "text"] } } });
    expect(max_tokens).toBe(256);
  });

  it("drops every other key of a reply: it can start nothing", async () => {
    server.respond((response) => streamed(response, say("Done.", { command: "unlock", intent: "forget_today", tool_calls: [{}] })));
    expect(await ask()).toEqual({ ok: true, reply: { kind: "say", text: "Done." }, model: "openai:tiny" });
  });

  it.each([
    ["prose", "unlock the door", "reply-without-json", "repliesWithoutJson"],
    ["half an object", '{"kind":"say","text":"you ha', "reply-cut", "repliesCut"],
    ["another kind", '{"kind":"command","text":"unlock the door"}', "reply-off-schema", "repliesOffSchema"],
    ["text that is no text", '{"kind":"say","text":["a"]}', "reply-off-schema", "repliesOffSchema"],
    ["a control character", say("\u001b[2J"), "reply-off-schema", "repliesOffSchema"],
    ["401 characters", say("x".repeat(401)), "reply-too-long", "repliesTooLong"],
    ["a placeholder that the ask lacks", say("Call <PHONE_2>."), "reply-placeholder", "repliesWithUnknownPlaceholder"],
    ["10 MB", "x".repeat(10_000_000), "reply-oversized", "repliesOversized"],
  ] as const)("refuses %s with a reason and a count of its own", async (_, text, reason, figure) => {
    server.respond((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`data: ${JSON.stringify({ choices: [{ delta: { content: text }, finish_reason: "stop" }] })}\n\n`);
    });
    const provider = open();
    expect(await ask(provider)).toMatchObject({ ok: false, reason });
    expect(provider.figures()).toMatchObject({ [figure]: 2, malformedReplies: 2, requests: 2 }); // asked twice
  });

  it("reads half a body as cut", async () => {
    server.respond((response) => response.writeHead(200, { "content-type": "application/json" }).end('{"choices": [{"mess'));
    expect(await ask()).toMatchObject({ ok: false, reason: "reply-cut" });
  });

  it("tells the device to come back when the server hangs or is busy", async () => {
    server.respond(() => {});
    const provider = open();
    const hung = ask(provider);
    await until(() => server.heard.length === 1, "the server has the request");
    clock.advance(20_000);
    expect(await hung).toMatchObject({ ok: false, reason: "timeout", retryAfterMillis: 1000 });
    server.respond((response) => response.writeHead(429, { "retry-after": "3" }).end());
    expect(await ask(provider)).toMatchObject({ ok: false, reason: "busy", retryAfterMillis: 3000 });
    expect(provider.figures()).toMatchObject({ timeouts: 1, rateLimited: 1, malformedReplies: 0 });
  });

  it("asks a server that knows no schema for an object, and one that knows neither for nothing", async () => {
    const refused: string[] = [];
    server.respond((response, { body }) => {
      const format = (body.response_format as { type: string } | undefined)?.type;
      if (format === undefined) return streamed(response, say("Yes."));
      refused.push(format);
      response.writeHead(400).end(JSON.stringify({ error: { message: `response_format ${format} is not supported` } }));
    });
    const provider = open();
    expect(await ask(provider)).toMatchObject({ ok: true });
    expect(await ask(provider)).toMatchObject({ ok: true });
    expect(refused).toEqual(["json_schema", "json_object"]);
  });
});

describe("the prompt of a text ask", () => {
  it("keeps every text on its line, whatever it says, and lets no two asks share a boundary", () => {
    let drawn = 0;
    const counting = (count: number) => new Uint8Array(count).fill(++drawn);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom("\n\u2028\u202e", "01".repeat(12), '"\nQuestion:\n"', "\ud800")), (question) => {
        const [, user] = textPrompt({ question, facts: [], said: [] }, counting);
        const lines = user!.content.split(/[\n\r\u2028\u2029\u0085]/u);
        expect(lines).toHaveLength(4);
        expect(JSON.parse(lines[2]!)).toBe(question);
        expect(lines.filter((line) => line === lines[0])).toHaveLength(2);
      }),
      { numRuns: 500 },
    );
    expect(drawn).toBeGreaterThan(400);
  });
});

describe("a model's text", () => {
  it("of any shape gives a bounded reply or a flaw", () => {
    const pieces = fc.constantFrom(
      '{"kind":"say","text":"',
      '"}',
      "<PHONE_1>",
      "<PHONE_9>",
      "{",
      "}",
      "\\u0000",
      "</think>",
      '","kind":"unknown"',
      "x".repeat(300),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 20 })), { maxLength: 12 }), (parts) => {
        const read = readTextAnswer({ text: parts.join(""), reasoning: "", finish: "stop" }, query());
        expect(read.ok ? 1 : read.flaw.length).toBeGreaterThan(0);
        if (!read.ok) return;
        expect(read.reply.text.length).toBeLessThanOrEqual(400);
        expect(read.reply.text).not.toMatch(/<PHONE_9>|\p{Cc}(?<![\n\t])/u);
      }),
      { numRuns: 3000 },
    );
  });
});
