import type { Usage } from "./budget.ts";
import type { ChatMessage } from "./prompt.ts";
import { createSseReader, MAX_REPLY_BYTES } from "./sse.ts";

/**
 * A chat completion that ended well, or how it did not. `retryAfterMillis`: the server asks for patience, or may recover. `broken`: the
 * server had the request, and its reply was cut off; `server`: it said that it failed, or cannot be reached.
 */
export type ChatResult =
  | { readonly ok: true; readonly text: string; readonly usage: Usage | undefined }
  | {
      readonly ok: false;
      readonly kind: "busy" | "server" | "broken" | "malformed" | "timeout" | "rejected";
      readonly detail: string;
      readonly retryAfterMillis?: number;
    };

export interface ChatRequest {
  readonly url: string; // …/chat/completions
  readonly key: string | undefined;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  readonly signal: AbortSignal;
  readonly nowWallMillis: number;
}

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: unknown }; readonly message?: { readonly content?: unknown } }[];
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null;
  readonly error?: unknown;
}

/** What fetch says of a connection that was made and then ended: undici's sockets and parser, and the system's. */
const brokenOff = /^(UND_ERR_(SOCKET|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_.*)|ECONNRESET|EPIPE|HPE_.*)$/;

/** One request to `/chat/completions`, streamed where the server streams. A failure is a value; the key is in no message. */
export async function chat(request: ChatRequest): Promise<ChatResult> {
  let isReplying = false;
  try {
    const response = await fetch(request.url, {
      method: "POST",
      signal: request.signal,
      redirect: "error", // the key goes to the server that was named
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream, application/json",
        ...(request.key === undefined ? {} : { authorization: `Bearer ${request.key}` }),
      },
      body: JSON.stringify({
        ...{ model: request.model, messages: request.messages, max_tokens: request.maxTokens, temperature: 0, stream: true },
        ...{ stream_options: { include_usage: true }, response_format: { type: "json_object" } },
      }),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return refusedBy(response, request.nowWallMillis);
    }
    isReplying = true;
    const isStream = response.headers.get("content-type")?.includes("text/event-stream") ?? false;
    return isStream ? await readStream(response) : await readWhole(response);
  } catch (error) {
    if (request.signal.aborted) return { ok: false, kind: "timeout", detail: "no complete reply in time" };
    const { message, cause } = error as Error & { cause?: { code?: string } };
    const why = cause?.code ?? message;
    if (isReplying || brokenOff.test(why))
      return { ok: false, kind: "broken", detail: `the server broke off its reply: ${why}`.slice(0, 200) };
    return { ok: false, kind: "server", detail: `the server cannot be reached: ${why}`.slice(0, 200) };
  }
}

function refusedBy(response: Response, nowWallMillis: number): ChatResult {
  const { status } = response;
  const retryAfterMillis = retryAfterOf(response.headers.get("retry-after"), nowWallMillis);
  const more = retryAfterMillis === undefined ? {} : { retryAfterMillis };
  if (status === 429 || status === 503) return { ok: false, kind: "busy", detail: `the server says ${status}`, ...more };
  if (status >= 500 || status === 408) return { ok: false, kind: "server", detail: `the server says ${status}`, ...more };
  return {
    ok: false,
    kind: "rejected",
    detail: `the server says ${status}${status === 401 || status === 403 ? ": check OPENAI_API_KEY" : ""}`,
  };
}

/** Retry-After: seconds, or a date (RFC 9110 §10.2.3). Undefined for neither. */
export function retryAfterOf(header: string | null, nowWallMillis: number): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowWallMillis;
  return Number.isFinite(millis) ? Math.min(MAX_RETRY_AFTER_MILLIS, Math.max(0, millis)) : undefined;
}

/** However long a server asks to be left alone. */
const MAX_RETRY_AFTER_MILLIS = 3_600_000;

async function readStream(response: Response): Promise<ChatResult> {
  const reader = createSseReader();
  let text = "";
  let usage: Usage | undefined;
  let bytes = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > MAX_REPLY_BYTES) return tooLong;
    for (const event of reader.push(part)) {
      if (event === "[DONE]") return { ok: true, text, usage };
      const chunk = parse(event);
      if (!chunk || chunk.error !== undefined) return { ok: false, kind: "malformed", detail: "an event of the stream cannot be read" };
      const content = chunk.choices?.[0]?.delta?.content;
      if (typeof content === "string") text += content;
      usage = usageOf(chunk) ?? usage;
    }
  }
  return { ok: false, kind: "malformed", detail: "the stream ended before [DONE]" };
}

async function readWhole(response: Response): Promise<ChatResult> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > MAX_REPLY_BYTES) return tooLong;
    parts.push(part);
  }
  const chunk = parse(Buffer.concat(parts).toString("utf8"));
  const content = chunk?.choices?.[0]?.message?.content;
  if (!chunk || typeof content !== "string") return { ok: false, kind: "malformed", detail: "the reply is no chat completion" };
  return { ok: true, text: content, usage: usageOf(chunk) };
}

const tooLong: ChatResult = { ok: false, kind: "malformed", detail: `the reply is above ${MAX_REPLY_BYTES} B` };

function parse(text: string): Chunk | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Chunk) : undefined;
  } catch {
    return undefined;
  }
}

function usageOf({ usage }: Chunk): Usage | undefined {
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage ?? {};
  if (!isCount(promptTokens) || !isCount(completionTokens)) return undefined;
  return { promptTokens, completionTokens };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
