import { describe, expect, it } from "vitest";
import { errorInBody, failureOf, plainWords, retryAfterOf } from "../../../../host/cloud/openai/server-error.ts";

const refused = (status: number, body: string) => failureOf(errorInBody(body), { status });

describe("a refused request", () => {
  it.each([
    [429, '{"error":{"message":"slow down"}}', "busy"],
    [503, "", "busy"],
    [529, '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "busy"],
    [503, '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}', "busy"], // llama.cpp
    [500, '{"error":"server busy, please try again.  maximum pending requests exceeded"}', "busy"], // Ollama
    [500, '{"error":{"message":"wrapped","code":"429"}}', "busy"], // LiteLLM
    [400, '{"error":{"message":"x","code":"rate_limit_exceeded"}}', "busy"],
    [400, '{"error":{"message":"too many requests in this sentence","type":"BadRequestError"}}', "rejected"],
    [500, '{"error":{"message":"boom","type":"InternalServerError"}}', "server"],
    [500, '{"error":{"message":"too long","type":"exceed_context_size_error"}}', "rejected"], // llama.cpp
    [502, "<html><head><style>b{}</style></head><h1>Bad Gateway</h1></html>", "server"],
    [408, "", "server"],
    [401, '{"error":{"message":"bad key"}}', "rejected"],
    [404, '{"error":{"message":"model not found","code":404}}', "rejected"],
  ])("with %i and %s is %3$s", (status, body, kind) => expect(refused(status, body).kind).toBe(kind));

  it("is told in the server's own words, whatever their form", () => {
    expect(refused(400, '{"error":"response_format.type: only text"}').detail).toBe("the server says 400: response_format.type: only text");
    expect(refused(400, 'data: {"error":{"message":"of a stream"}}\n\n').detail).toContain("of a stream");
    expect(refused(422, '{"detail":[{"loc":["body","x"],"msg":"extra field"}]}').detail).toContain("extra field");
    expect(refused(502, "<html><head><style>b{}</style></head><h1>Bad\nGateway</h1></html>").detail).toBe(
      "the server says 502: Bad Gateway",
    );
    expect(refused(429, '{"error":{"message":"Provider returned error","metadata":{"raw":"free tier is full"}}}').detail).toContain(
      "(free tier is full)",
    );
    expect(plainWords(`${"x".repeat(158)}💤💤`)).toBe(`${"x".repeat(158)}…`); // never half a character
  });
});

describe("the wait that a server asks for", () => {
  const wait = (headers: Record<string, string>, now = 0) => retryAfterOf(new Headers(headers), now);

  it("is in seconds, a date or milliseconds, at most an hour", () => {
    expect(wait({ "retry-after": "2" })).toBe(2000);
    expect(wait({ "retry-after": "0.5" })).toBe(500);
    expect(wait({ "retry-after": "Thu, 01 Jan 1970 00:00:05 GMT" }, 2000)).toBe(3000);
    expect(wait({ "retry-after": "-4" })).toBe(0);
    expect(wait({ "retry-after": "1e12" })).toBe(3_600_000);
    expect(wait({ "retry-after-ms": "1500", "retry-after": "60" })).toBe(1500);
    expect(wait({ "x-ms-retry-after-ms": "250" })).toBe(250);
    expect(wait({ "retry-after-ms": "soon", "retry-after": "3" })).toBe(3000);
    expect([wait({}), wait({ "retry-after": "soon" }), wait({ "retry-after": " " })]).toEqual([undefined, undefined, undefined]);
  });

  it("is read from the error if the headers say nothing", () => {
    const said = (error: object) => refused(429, JSON.stringify({ error })).retryAfterMillis;
    expect(said({ message: "Please retry after 20 seconds." })).toBe(20_000);
    expect(said({ message: "Please try again in 480ms" })).toBe(480);
    expect(said({ message: "try again in 2 minutes" })).toBe(120_000);
    expect(said({ message: "m", metadata: { retry_after_seconds: 4 } })).toBe(4000);
    expect(said({ message: "m", retry_after: -1 })).toBeUndefined();
    expect(
      failureOf(errorInBody('{"error":{"message":"try again in 9s"}}'), { status: 429, retryAfterMillis: 2000 }).retryAfterMillis,
    ).toBe(2000);
  });
});
