import type { Usage } from "./budget.ts";
import { type ChatFailure, errorIn, failureOf, isObject, parseJson, plainWords, type ServerError } from "./server-error.ts";
import { createSseReader } from "./sse.ts";

/** A model's reply. */
export interface ChatReply {
  readonly ok: true;
  readonly text: string;
  readonly reasoning: string; // what the server keeps apart from the text
  /** Why the model stopped: `stop`, `length` and others; undefined if the server did not say. */
  readonly finish: string | undefined;
  readonly usage: Usage | undefined;
}

/** Reads the body of a reply with status 200, streamed or whole, by what it holds and not by its content type. */
export interface ReplyReader {
  /** A finish reason came: only the count of tokens may follow. */
  readonly isFinished: boolean;
  readonly replyChars: number;
  /** Undefined while the reply goes on. */
  push(bytes: Uint8Array): ChatReply | ChatFailure | undefined;
  /** The body has ended. */
  end(): ChatReply | ChatFailure;
}

/** Longest reply that is read: this, and more per token that was asked for, since an event per token has a head of its own. */
const MAX_REPLY_BYTES = 262_144;
const MAX_EVENT_BYTES = 1024;

export const maxReplyBytes = (maxTokens: number) => MAX_REPLY_BYTES + MAX_EVENT_BYTES * maxTokens;

/**
 * Any bytes are safe, and their splitting into packets changes nothing; at most `maxBytes` are read and kept. `retryAfterMillis`: what the
 * reply's head asks for, should it hold an error.
 */
export function createReplyReader(maxBytes: number, retryAfterMillis: number | undefined): ReplyReader {
  const decoder = new TextDecoder(); // drops a byte order mark
  const sse = createSseReader();
  let whole: string | undefined; // of a body that is no stream
  let isStream = false;
  let bytes = 0;
  let text = "";
  let reasoning = "";
  let finish: string | undefined;
  let usage: Usage | undefined;

  const replyChars = () => text.length + reasoning.length;
  const malformed = (detail: string, flaw: NonNullable<ChatFailure["flaw"]> = "withoutJson"): ChatFailure => ({
    ...{ ok: false, kind: "malformed", detail, flaw, replyChars: replyChars() },
  });
  const failed = (error: ServerError) => failureOf(error, { retryAfterMillis }, replyChars());
  const reply = (): ChatReply => ({ ok: true, text, reasoning, finish, usage });

  /** Takes in one JSON object; a failure ends the reply. */
  function add(value: unknown): ChatFailure | undefined {
    const error = errorIn(value);
    if (error !== undefined) return failed(error);
    if (!isObject(value)) return malformed("an event of the stream is no object");
    usage = usageOf(value.usage) ?? usage;
    const choice = Array.isArray(value.choices) ? value.choices[0] : undefined;
    if (!isObject(choice)) return undefined;
    if (isObject(choice.delta)) {
      text += textOf(choice.delta.content);
      reasoning += textOf(choice.delta.reasoning_content ?? choice.delta.reasoning);
    } else if (isObject(choice.message)) {
      text ||= textOf(choice.message.content); // a stream may repeat all of it at its end
      reasoning ||= textOf(choice.message.reasoning_content ?? choice.message.reasoning);
    } else text += textOf(choice.text);
    if (typeof choice.finish_reason === "string" && choice.finish_reason !== "") finish = choice.finish_reason.slice(0, 40).toLowerCase();
    if (finish === "error" || finish === "insufficient_system_resource")
      return failed({ status: undefined, names: finish, words: "the server ended the reply itself", retryAfterMillis: undefined });
    return undefined;
  }

  function takeEvent({ isError, data }: { isError: boolean; data: string }): ChatReply | ChatFailure | undefined {
    const value = parseJson(data);
    if (isError) {
      const error = errorIn(value) ?? errorIn({ error: value ?? data });
      if (error !== undefined) return failed(error);
    }
    if (value !== undefined) return add(value);
    for (const line of data.split("\n")) {
      const piece = line.trim(); // servers that leave out the empty line between events run them together
      if (piece === "") continue;
      if (piece === "[DONE]") return reply();
      const one = parseJson(piece);
      const failure = one === undefined ? malformed(`an event of the stream cannot be read: ${plainWords(piece)}`, "cut") : add(one);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  function takeText(next: string): ChatReply | ChatFailure | undefined {
    let piece = next;
    if (whole === undefined && !isStream) {
      piece = next.trimStart();
      if (piece === "") return undefined;
      if (/^[{[<]/.test(piece)) whole = "";
      else isStream = true;
    }
    if (whole !== undefined) {
      whole += piece;
      return undefined;
    }
    for (const event of sse.push(piece)) {
      const result = takeEvent(event);
      if (result !== undefined) return result;
    }
    return undefined;
  }

  function endStream(): ChatReply | ChatFailure {
    for (const event of sse.end()) {
      const result = takeEvent(event);
      if (result !== undefined) return result;
    }
    const error = finish === undefined ? errorIn(parseJson(sse.stray)) : undefined;
    if (error !== undefined) return failed(error);
    if (finish === undefined && replyChars() === 0)
      return malformed(`the reply is no chat completion: ${plainWords(sse.stray) || "it is empty"}`);
    return reply(); // whether it is complete, its JSON says
  }

  function endWhole(body: string): ChatReply | ChatFailure {
    const value = parseJson(body);
    const failure = value === undefined ? undefined : add(value);
    if (failure !== undefined) return failure;
    if (!isObject(value) || !Array.isArray(value.choices) || value.choices.length === 0)
      return malformed(
        `the reply is no chat completion: ${plainWords(body)}`,
        value === undefined && body.startsWith("{") ? "cut" : undefined,
      );
    return reply();
  }

  return {
    get isFinished() {
      return finish !== undefined;
    },
    get replyChars() {
      return replyChars();
    },
    push(part) {
      const room = maxBytes - bytes;
      bytes += part.length;
      const result = takeText(decoder.decode(part.subarray(0, Math.max(0, room)), { stream: true }));
      return result ?? (bytes > maxBytes ? malformed(`the reply is above ${maxBytes} B`, "oversized") : undefined);
    },
    end() {
      return takeText(decoder.decode()) ?? (whole === undefined ? endStream() : endWhole(whole));
    },
  };
}

/** A message's content: text, or parts of which some are text. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) => {
      if (typeof part === "string") return part;
      const isText =
        isObject(part) && typeof part.text === "string" && (part.type === undefined || part.type === "text" || part.type === "output_text");
      return isText ? (part.text as string) : "";
    })
    .join("");
}

function usageOf(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage;
  if (!isCount(promptTokens) || !isCount(completionTokens)) return undefined;
  return { promptTokens, completionTokens };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
