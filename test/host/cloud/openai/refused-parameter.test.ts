import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOpenAi, type OpenAiOptions } from "../../../../host/cloud/openai/openai.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { type Heard, type ModelServer, startModelServer, streamed } from "./fake-server.ts";
import { query, sensor } from "./sensor-query.ts";

describe("a server that refuses a parameter", () => {
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
      expect(await other.answer([query()])).toMatchObject([{ ok: false, reason: "provider", detail: "the server says 400: Bad Request" }]);
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
