import type { Clock } from "../../core/system/clock.ts";
import type { ChatMessage } from "./prompt.ts";
import { type ChatReply, createReplyReader, maxReplyBytes } from "./reply.ts";
import { type ReplyFormat, type RequestShape, requestBody } from "./request-body.ts";
import { type ChatFailure, errorInBody, failureOf, plainWords, retryAfterOf } from "./server-error.ts";

/** A chat completion that ended, or how it failed. */
export type ChatResult = ChatReply | ChatFailure;

export interface ChatRequest {
  readonly url: string; // …/chat/completions
  readonly key: string | undefined;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  readonly format: ReplyFormat;
  readonly shape: RequestShape;
  readonly timeoutMillis: number;
  readonly clock: Clock;
}

/** How long a finished reply may take to bring its count of tokens and its end. */
const TRAILER_MILLIS = 1000;
/** Most bytes read of the body of a refused request. */
const MAX_ERROR_BYTES = 16_384;

/** Error codes of fetch for a connection that was made and then ended: undici's sockets and parser, and the system's. */
const brokenOff = /^(UND_ERR_(SOCKET|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_.*)|ECONNRESET|EPIPE|HPE_.*)$/;

/** One request to `/chat/completions`, streamed if the server streams. A failure is a value; the key is in no message. */
export async function chat(request: ChatRequest): Promise<ChatResult> {
  const { clock, key } = request;
  const abort = new AbortController();
  let cancel = clock.after(request.timeoutMillis, () => abort.abort());
  let reader = createReplyReader(maxReplyBytes(request.maxTokens), undefined);
  let isReplying = false;
  try {
    const response = await fetch(request.url, {
      method: "POST",
      signal: abort.signal,
      redirect: "error", // the key goes to the server that was named
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream, application/json",
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: requestBody(request),
    });
    const retryAfterMillis = retryAfterOf(response.headers, clock.wall());
    if (!response.ok) {
      const error = errorInBody(await bodyStart(response));
      return withoutKey(failureOf(error, { retryAfterMillis, status: response.status }), key);
    }
    reader = createReplyReader(maxReplyBytes(request.maxTokens), retryAfterMillis);
    isReplying = true;
    for await (const part of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
      const wasFinished = reader.isFinished;
      const result = reader.push(part);
      if (result !== undefined) return withoutKey(result, key);
      if (wasFinished || !reader.isFinished) continue;
      cancel();
      cancel = clock.after(TRAILER_MILLIS, () => abort.abort());
    }
    return withoutKey(reader.end(), key);
  } catch (error) {
    if (reader.isFinished) return withoutKey(reader.end(), key);
    const { replyChars } = reader;
    if (abort.signal.aborted) return { ok: false, kind: "timeout", detail: "no complete reply in time", replyChars };
    const { message, cause } = error as Error & { cause?: { code?: string } };
    const why = plainWords(cause?.code ?? message);
    const isBroken = isReplying || brokenOff.test(why);
    const what = isBroken ? "the server broke off its reply" : "the server cannot be reached";
    return withoutKey({ ok: false, kind: isBroken ? "broken" : "server", detail: `${what}: ${why}`, replyChars }, key);
  } finally {
    cancel();
  }
}

/** The first bytes of a refusal's body as text; unreadable parts are left out. */
async function bodyStart(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let room = MAX_ERROR_BYTES;
  try {
    for await (const part of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
      parts.push(part.subarray(0, room));
      room -= part.length;
      if (room <= 0) break;
    }
  } catch {
    // the status is enough
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** Servers may repeat the key that they refuse. */
function withoutKey(result: ChatResult, key: string | undefined): ChatResult {
  if (result.ok || key === undefined || key === "") return result;
  return { ...result, detail: result.detail.replaceAll(key, "(key)") };
}
