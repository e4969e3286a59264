import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../../host/cloud/openai/read-answer.ts";
import { createReplyReader } from "../../../../host/cloud/openai/reply.ts";

/** Reads a body in packets that end at `cuts`. */
function read(body: Uint8Array | string, cuts: readonly number[] = [], maxBytes = 100_000) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const reader = createReplyReader(maxBytes, undefined);
  let from = 0;
  for (const to of [...[...cuts].sort((a, b) => a - b).filter((cut) => cut < bytes.length), bytes.length]) {
    const result = reader.push(bytes.subarray(from, to));
    if (result !== undefined) return result;
    from = to;
  }
  return reader.end();
}

const answer = '{"label":"walk","confidence":0.9}';
const delta = (content: unknown, more: object = {}) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content, ...more }, finish_reason: null }] })}\n\n`;
const finish = (reason: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\n`;
const done = "data: [DONE]\n\n";
const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } })}\n\n`;
const whole = (message: object, more: object = {}) =>
  JSON.stringify({ object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop", ...more }] });

describe("a complete reply, as servers send it", () => {
  it.each([
    ["OpenAI: the role first, the count of tokens last", delta("", { role: "assistant" }) + delta(answer) + finish("stop") + usage + done],
    [
      "vLLM: a role with empty content, a null reasoning field",
      delta("", { role: "assistant", reasoning_content: null }) + delta(answer) + finish("stop") + done,
    ],
    [
      "Ollama: the finish reason and an empty content in one event",
      delta(answer) + delta("", { role: "assistant" }).replace("null}", '"stop"}') + done,
    ],
    ["llama.cpp: null content with the role", delta(null, { role: "assistant" }) + delta(answer) + finish("stop") + usage + done],
    [
      "OpenRouter: comments while it waits",
      `: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n${delta(answer)}${finish("stop")}${usage}${done}`,
    ],
    ["LM Studio: empty finish reasons meanwhile", delta(answer).replace(":null", ':""') + finish("stop") + done],
    ["no [DONE] after the finish reason", delta(answer) + finish("stop")],
    ["[DONE] without a line end", delta(answer) + finish("stop") + done.trimEnd()],
    ["[DONE] and no finish reason", delta(answer) + done],
    ["error: null in each event", delta(answer).replace("]}", '],"error":null}') + finish("stop") + done],
    ["an empty error object beside choices", delta(answer).replace("]}", '],"error":{"message":null}}') + done],
    [
      "content as parts, thoughts among them",
      delta([
        { type: "thinking", thinking: [{ type: "text", text: "hm {" }] },
        { type: "text", text: answer },
      ]) + done,
    ],
    ["a byte order mark", `\ufeff${delta(answer)}${done}`],
    ["CRLF", (delta(answer) + finish("stop") + done).replaceAll("\n", "\r\n")],
    ["no space after data:", (delta(answer) + finish("stop") + done).replaceAll("data: ", "data:")],
    ["empty data as keep-alive", `data:\n\n${delta(answer)}data: \n\n${done}`],
    ["events without an empty line between them", (delta(answer) + finish("stop") + done).replaceAll("\n\n", "\n")],
    [
      "a stream that repeats the whole message at its end",
      `${delta(answer)}data: ${whole({ role: "assistant", content: answer })}\n\n${done}`,
    ],
    ["no stream", whole({ role: "assistant", content: answer })],
    [
      "no stream, pretty-printed after empty lines",
      `\n\n${JSON.stringify(JSON.parse(whole({ content: [{ type: "text", text: answer }] })), null, 2)}\n`,
    ],
    ["no stream, with error: null", whole({ content: answer }).replace("]}", '],"error":null}')],
  ])("is read: %s", (_, body) => {
    const reply = read(body);
    expect(reply).toMatchObject({ ok: true, text: answer });
    expect(reply.ok && readAnswer(reply, ["still", "walk"])).toEqual({ ok: true, label: 1, confidence: 0.9 });
    expect(
      read(
        body,
        Array.from({ length: body.length * 3 }, (_unused, i) => i),
      ),
    ).toEqual(reply); // byte by byte
  });

  it("keeps reasoning apart from text, under either name, and counts tokens", () => {
    const body =
      delta(null, { reasoning_content: "let me " }) + delta(null, { reasoning: "see" }) + delta(answer) + finish("stop") + usage + done;
    expect(read(body)).toEqual({
      ok: true,
      text: answer,
      reasoning: "let me see",
      finish: "stop",
      usage: { promptTokens: 7, completionTokens: 3 },
    });
  });
});

describe("an error in a reply with status 200", () => {
  it.each([
    [
      "OpenRouter, whole",
      '{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"m is temporarily rate-limited upstream","provider_name":"P"}},"user_id":"u"}',
      { kind: "busy", status: 429 },
    ],
    [
      "LiteLLM: the code as text",
      'data: {"error":{"message":"litellm.RateLimitError: no","type":"throttling_error","param":null,"code":"429"}}\n\n',
      { kind: "busy", status: 429 },
    ],
    [
      "OpenRouter, mid-stream, beside choices",
      `${delta("{")}data: {"error":{"code":"server_error","message":"Provider disconnected"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}\n\n`,
      { kind: "server", replyChars: 1 },
    ],
    [
      "an error within a choice",
      'data: {"choices":[{"delta":{},"finish_reason":"error","error":{"code":502,"message":"upstream"}}]}\n\n',
      { kind: "server", status: 502 },
    ],
    ["only a finish reason", delta("{") + finish("error"), { kind: "server" }],
    ["DeepSeek's finish reason", delta("{") + finish("insufficient_system_resource"), { kind: "busy" }],
    [
      "llama.cpp's error field",
      'error: {"code":503,"message":"Loading model","type":"unavailable_error"}\n\n',
      { kind: "busy", status: 503 },
    ],
    [
      "llama.cpp, data field",
      'data: {"error":{"code":400,"message":"request (4390 tokens) exceeds the available context size","type":"exceed_context_size_error"}}\n\n',
      { kind: "rejected", status: 400 },
    ],
    [
      "an event named error",
      'event: error\ndata: {"error":{"message":"Compute error."},"message":"Compute error."}\n\n',
      { kind: "server" },
    ],
    ["an event named error, plain text", "event: error\ndata: queue is full\n\n", { kind: "busy" }],
    [
      "old vLLM: the error at the top",
      '{"object":"error","message":"engine is dead","type":"InternalServerError","param":null,"code":500}',
      { kind: "server", status: 500 },
    ],
    [
      "Anthropic's shape",
      'event: error\ndata: {"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"}}\n\n',
      { kind: "busy" },
    ],
    ["only a code name", 'data: {"error":{"message":"rate limited","code":"rate_limit_exceeded"}}\n\n', { kind: "busy" }],
    ["no code at all", 'data: {"error":{"type":"invalid_request_error","message":"Too many requests, please wait"}}\n\n', { kind: "busy" }],
    ["Ollama: one sentence", '{"error":"server busy, please try again.  maximum pending requests exceeded"}', { kind: "busy" }],
    ["Text Generation Inference", 'data: {"error":"Model is overloaded","error_type":"overloaded"}\n\n', { kind: "busy" }],
    [
      "Google, in an array",
      '[{"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"31s"}]}}]',
      { kind: "busy", retryAfterMillis: 31_000 },
    ],
    [
      "Google, bare JSON at the end of a stream",
      `${delta("{")}\n{\n  "error": {\n    "code": 503,\n    "message": "overloaded",\n    "status": "UNAVAILABLE"\n  }\n}\n`,
      { kind: "busy", status: 503 },
    ],
    ["FastAPI's detail", '{"detail":"Service is temporarily unavailable"}', { kind: "busy" }],
    [
      "a wait in words",
      'data: {"error":{"message":"Rate limit reached. Please try again in 7.66s.","type":"tokens","code":"rate_limit_exceeded"}}\n\n',
      { kind: "busy", retryAfterMillis: 7660 },
    ],
    ["a wait in minutes", '{"error":{"message":"Please try again in 1m30s","code":"429"}}', { kind: "busy", retryAfterMillis: 90_000 }],
    [
      "no money left",
      '{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}',
      { kind: "busy", retryAfterMillis: 60_000 },
    ],
    ["an unknown parameter", '{"error":{"message":"thinking_budget is unknown","type":"invalid_request_error"}}', { kind: "rejected" }],
  ])("is told apart: %s", (_, body, failure) => {
    const result = read(body);
    expect(result).toMatchObject({ ok: false, ...failure });
    expect(
      read(
        body,
        Array.from({ length: body.length }, (_unused, i) => i),
      ),
    ).toEqual(result);
  });

  it("passes on the server's words without control characters, bounded", () => {
    const result = read(JSON.stringify({ error: { message: `no\u001b[2J \u202e\n\u0085 room${"!".repeat(5000)}` } }));
    if (result.ok) throw new Error("a failure was due");
    expect(result.detail).toMatch(/^the server says error: no\\u001b\[2J \\u202e \\u0085 room!+…$/);
    expect(result.detail.length).toBeLessThan(200);
  });
});

describe("any bytes from a server", () => {
  const fragments = fc.constantFrom(
    ...[
      "data: ",
      "data:",
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      ": x",
      "[DONE]",
      "event: error",
      "error: ",
      "\ufeff",
      "{",
      "}",
      "[",
      '"',
      "<think>",
      "é",
      "💤",
      " ",
    ],
    ...[
      answer,
      delta(answer),
      finish("stop"),
      usage,
      done,
      '{"error":{"code":"503"}}',
      '{"choices":[{"delta":{"content":',
      '{"choices":[]}',
      "null",
      "[]",
    ],
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fragments, { maxLength: 12 }).map((parts) => new TextEncoder().encode(parts.join(""))),
    fc
      .tuple(fc.array(fragments, { maxLength: 8 }), fc.uint8Array({ maxLength: 8 }))
      .map(([parts, noise]) => new Uint8Array([...new TextEncoder().encode(parts.join("")), ...noise, ...new TextEncoder().encode(done)])),
  );

  it("end in a value, the same one however they are split, also at the limit", () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(400)), fc.constantFrom(100_000, 60), (body, cuts, maxBytes) => {
        const result = read(body, [], maxBytes);
        expect(read(body, cuts, maxBytes)).toEqual(result);
        if (result.ok) readAnswer(result, ["walk"]);
        else expect(result.detail.length).toBeLessThan(300);
      }),
      { numRuns: 3000 },
    );
  });

  it("are read no further than the limit, also in one line and one byte at a time", () => {
    const reader = createReplyReader(200_000, undefined);
    const byte = new Uint8Array([120]);
    let result: ReturnType<typeof reader.push>;
    let pushed = 0;
    for (; result === undefined && pushed < 300_000; pushed++) result = reader.push(byte);
    expect(pushed).toBe(200_001);
    expect(result).toMatchObject({ ok: false, kind: "malformed" });
  });
});
