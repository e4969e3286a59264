import type { Clock } from "../../core/system/clock.ts";
import { createRepeatLimit } from "../../core/system/repeat-limit.ts";
import type { CloudRefusal } from "../provider.ts";
import { type Budget, type BudgetLimits, createBudget, type Spent } from "./budget.ts";
import { type ChatResult, chat } from "./chat.ts";
import type { ChatMessage } from "./prompt.ts";
import type { ChatReply } from "./reply.ts";
import { FULL_SHAPE, type ReplyFormat, type RequestShape, shapeWithout, withoutFormat } from "./request-body.ts";
import type { ChatFailure } from "./server-error.ts";

export interface ChatClientOptions {
  readonly url: string; // …/chat/completions
  readonly key: string | undefined;
  readonly model: string;
  readonly clock: Clock;
  readonly timeoutMillis: number;
  readonly budget: BudgetLimits;
  readonly onSpent?: ((spent: Spent) => void) | undefined;
  readonly onTrouble?: ((code: TroubleCode, detail: string) => void) | undefined;
}

export type TroubleCode =
  | "OPENAI_BUSY"
  | "OPENAI_SERVER"
  | "OPENAI_BROKEN"
  | "OPENAI_TIMEOUT"
  | "OPENAI_REJECTED"
  | "OPENAI_UNREADABLE"
  | "OPENAI_ADAPTED"; // a parameter is left out from now on

/** What is wrong with a reply; each has a count of its own. */
export const REPLY_FLAWS = ["withoutJson", "cut", "offSchema", "tooLong", "oversized", "unknownPlaceholder"] as const;
export type ReplyFlaw = (typeof REPLY_FLAWS)[number];

/** A reply in the question's format, or what is wrong with it. */
export type ReadReply<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly kind: ReplyFlaw; readonly flaw: string };

/** A question to the model. `read` judges the reply. */
export interface ChatQuestion<T> {
  readonly node: string; // whose budget it uses
  readonly deadlineAtMillis: number;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  readonly format: ReplyFormat;
  read(reply: ChatReply): ReadReply<T>;
  /** The refusal that a flawed reply ends in. */
  refuse(kind: ReplyFlaw, detail: string): CloudRefusal;
}

export interface ChatFigures {
  readonly requests: number;
  readonly malformedReplies: number; // all of the flawed ones
  readonly repliesWithoutJson: number;
  readonly repliesCut: number; // JSON that ends too soon
  readonly repliesOffSchema: number;
  readonly repliesTooLong: number; // text above its bound
  readonly repliesOversized: number; // bytes above what is read
  readonly repliesWithUnknownPlaceholder: number;
  readonly rateLimited: number;
  readonly timeouts: number;
  readonly serverErrors: number;
  readonly overBudget: number; // asks refused because the budget is spent
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number;
}

/** Questions to one server, within one budget. */
export interface ChatClient {
  ask<T extends object>(question: ChatQuestion<T>): Promise<({ readonly ok: true } & T) | CloudRefusal>;
  figures(): ChatFigures;
}

/** How long at least to leave a server alone that is busy or has failed. */
const BUSY_MILLIS = 1000;
/** Failures of which a server makes no tokens; any other may cost as much as the request. */
const freeFailures: readonly string[] = ["busy", "server", "rejected"];
/** A malformed reply is asked for once more, if there is time. */
const TRIES = 2;
type OverBudget = Exclude<ReturnType<Budget["reserve"]>, "ok">;
const OVER_BUDGET: Readonly<Record<OverBudget, string>> = {
  all: "this worker's token budget is spent",
  share: "this node has used its share of the worker's token budget",
};
/** How a reply ends that would end so again. */
const CUT: readonly string[] = ["length", "max_tokens", "model_length"];
const FINAL: readonly string[] = [...CUT, "content_filter"];
const TROUBLE_MILLIS = 10_000;
const TROUBLES = {
  busy: "OPENAI_BUSY",
  server: "OPENAI_SERVER",
  broken: "OPENAI_BROKEN",
  timeout: "OPENAI_TIMEOUT",
  rejected: "OPENAI_REJECTED",
  malformed: "OPENAI_UNREADABLE",
} as const satisfies Record<ChatFailure["kind"], TroubleCode>;
const NO_TOKENS = { promptTokens: 0, completionTokens: 0 };

/**
 * Asks a chat server. After any kind of busy reply, no question is sent to that server for the time that it asks for, at least one second.
 * A parameter that the server refuses is left out from then on.
 */
export function createChatClient(options: ChatClientOptions): ChatClient {
  const { clock, timeoutMillis } = options;
  const budget = createBudget(options.budget);
  const count = { requests: 0, malformedReplies: 0, rateLimited: 0, timeouts: 0, serverErrors: 0, overBudget: 0 };
  const flaws = { withoutJson: 0, cut: 0, offSchema: 0, tooLong: 0, oversized: 0, unknownPlaceholder: 0 } satisfies Record<
    ReplyFlaw,
    number
  >;
  const troubles = createRepeatLimit<TroubleCode>(clock, options.onTrouble, { toldPerWindow: 1, windowMillis: TROUBLE_MILLIS });
  let pausedUntil = 0;
  let busyDetail = "";
  let shape = FULL_SHAPE;
  let isShapeKnown = false; // a request of this shape was answered, or a guess at it failed

  type Sent = Pick<ChatQuestion<object>, "node" | "deadlineAtMillis" | "messages" | "maxTokens" | "format">;

  /** One request within the budget. */
  async function send(question: Sent, sent: RequestShape): Promise<ChatResult | OverBudget> {
    const { node, messages, maxTokens, format } = question;
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
    const most = { promptTokens: Math.ceil(characters / 2), completionTokens: maxTokens }; // a token is hardly ever less than two characters
    const reserved = budget.reserve(node, most);
    if (reserved !== "ok") {
      count.overBudget++;
      return reserved;
    }
    options.onSpent?.(budget.spent());
    count.requests++;
    const result = await chat({
      ...{ url: options.url, key: options.key, model: options.model, messages, maxTokens, format, shape: sent, clock },
      timeoutMillis: Math.min(timeoutMillis, question.deadlineAtMillis - clock.now()),
    });
    const replyChars = result.ok ? result.text.length + result.reasoning.length : result.replyChars;
    const guess = { promptTokens: Math.ceil(characters / 4), completionTokens: Math.ceil(replyChars / 4) };
    const isFree = !result.ok && replyChars === 0 && freeFailures.includes(result.kind);
    budget.settle(node, most, isFree ? NO_TOKENS : ((result.ok ? result.usage : undefined) ?? guess));
    options.onSpent?.(budget.spent());
    return result;
  }

  /** Sends, and sends again without each parameter that the server refuses: at most once per parameter. */
  async function request(question: Sent): Promise<ChatResult | OverBudget> {
    for (let sent = shape; ; ) {
      const result = await send(question, sent);
      if (typeof result === "string" || result.ok) {
        if (typeof result !== "string") isShapeKnown = true;
        return result;
      }
      const isRefused = result.kind === "rejected" || (result.kind === "server" && result.status !== undefined);
      const next = isRefused ? shapeWithout(sent, question.format, result.words ?? "") : undefined;
      if (next === undefined) return isRefused ? guessShape(question, sent, result) : result;
      troubles.tell("OPENAI_ADAPTED", `asking again without it: ${result.detail}`);
      shape = next;
      sent = next;
      if (question.deadlineAtMillis <= clock.now()) return result;
    }
  }

  /** A server that refuses the first request and does not say why may know no `response_format`: one guess. */
  async function guessShape(question: Sent, sent: RequestShape, refusal: ChatFailure): Promise<ChatResult | OverBudget> {
    const next = withoutFormat(sent, question.format);
    if (isShapeKnown || next === undefined || (refusal.status !== 400 && refusal.status !== 422)) return refusal;
    isShapeKnown = true;
    const result = await send(question, next);
    if (typeof result === "string" || !result.ok) return refusal;
    troubles.tell("OPENAI_ADAPTED", `asking without response_format: ${refusal.detail}`);
    shape = next;
    return result;
  }

  async function ask<T extends object>(question: ChatQuestion<T>): Promise<({ readonly ok: true } & T) | CloudRefusal> {
    let found: { kind: ReplyFlaw; flaw: string } | undefined;
    for (let attempt = 0; attempt < TRIES && question.deadlineAtMillis > clock.now(); attempt++) {
      if (pausedUntil > clock.now()) return busy();
      const result = await request(question);
      if (typeof result === "string") return { ok: false, reason: "budget", detail: OVER_BUDGET[result] };
      if (!result.ok && result.kind !== "malformed") return failed(result);
      const read = result.ok ? question.read(result) : { ok: false as const, kind: result.flaw ?? "withoutJson", flaw: result.detail };
      if (read.ok) return read;
      count.malformedReplies++;
      flaws[read.kind]++;
      found = { kind: read.kind, flaw: read.flaw };
      if (!result.ok || !FINAL.includes(result.finish ?? "")) continue;
      found.flaw += CUT.includes(result.finish!)
        ? `; it was cut at ${question.maxTokens} tokens: raise --max-tokens`
        : `; it ended with ${result.finish}`;
      break; // the same question gets the same end
    }
    if (found === undefined) return { ok: false, reason: "provider", detail: "no time is left" };
    troubles.tell("OPENAI_UNREADABLE", found.flaw);
    return question.refuse(found.kind, `the model's reply is of no use: ${found.flaw}`);
  }

  const busy = (): CloudRefusal => {
    const retryAfterMillis = Math.max(0, pausedUntil - clock.now());
    return { ok: false, reason: "busy", detail: `the model's server is busy: ${busyDetail}`, retryAfterMillis };
  };

  function failed(result: ChatFailure): CloudRefusal {
    const { kind, detail } = result;
    troubles.tell(TROUBLES[kind], detail);
    const retryAfterMillis = Math.max(BUSY_MILLIS, result.retryAfterMillis ?? 0);
    if (kind === "busy") {
      count.rateLimited++;
      pausedUntil = Math.max(pausedUntil, clock.now() + retryAfterMillis);
      busyDetail = detail;
      return busy();
    }
    if (kind === "rejected") return { ok: false, reason: "provider", detail };
    count[kind === "timeout" ? "timeouts" : "serverErrors"]++;
    return { ok: false, reason: kind === "timeout" ? "timeout" : "provider", detail, retryAfterMillis };
  }

  return {
    ask,
    figures: () => ({
      ...count,
      repliesWithoutJson: flaws.withoutJson,
      repliesCut: flaws.cut,
      repliesOffSchema: flaws.offSchema,
      repliesTooLong: flaws.tooLong,
      repliesOversized: flaws.oversized,
      repliesWithUnknownPlaceholder: flaws.unknownPlaceholder,
      promptTokens: budget.promptTokens,
      completionTokens: budget.completionTokens,
      cost: budget.cost,
    }),
  };
}
