import { type Clock, systemClock } from "../../core/system/clock.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createRepeatLimit } from "../../core/system/repeat-limit.ts";
import { isLoopback } from "../../mqtt/transport/broker-url.ts";
import type { CloudAnswer, CloudQuery, Provider } from "../provider.ts";
import { type Budget, type BudgetLimits, createBudget, type Spent } from "./budget.ts";
import { type ChatResult, chat } from "./chat.ts";
import { formFlaw, promptOf, type SensorDescription } from "./prompt.ts";
import { readAnswer } from "./read-answer.ts";
import { FULL_SHAPE, type RequestShape, shapeWithout } from "./request-body.ts";
import type { ChatFailure } from "./server-error.ts";

export interface OpenAiOptions {
  /** Of any OpenAI-compatible server, up to and with `/v1`: vLLM, Ollama, llama.cpp, LM Studio, LiteLLM, OpenRouter, OpenAI. */
  readonly baseUrl: string;
  readonly model: string;
  /** From the environment alone; a local server may need none. */
  readonly key?: string | undefined;
  readonly sensor: SensorDescription;
  readonly clock?: Clock;
  /** Requests under way at once, default 8. */
  readonly concurrency?: number;
  /** Longest request, default 20000; never beyond the ask's deadline. */
  readonly timeoutMillis?: number;
  /** Of a reply, its thoughts included, default 64. */
  readonly maxTokens?: number;
  readonly budget?: BudgetLimits;
  /** Called before and after each request. */
  readonly onSpent?: (spent: Spent) => void;
  /** What the server refuses or fails at, in its own words; at most one call per code and ten seconds. */
  readonly onTrouble?: (code: TroubleCode, detail: string) => void;
}

export type TroubleCode =
  | "OPENAI_BUSY"
  | "OPENAI_SERVER"
  | "OPENAI_BROKEN"
  | "OPENAI_TIMEOUT"
  | "OPENAI_REJECTED"
  | "OPENAI_UNREADABLE"
  | "OPENAI_ADAPTED"; // a parameter is left out from now on

export interface OpenAiFigures {
  readonly requests: number;
  readonly malformedReplies: number;
  readonly rateLimited: number;
  readonly timeouts: number;
  readonly serverErrors: number;
  readonly overBudget: number; // asks refused because the budget is spent
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number;
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

/**
 * Answers from a language model. The prompt has the ask's channel statistics and the device's own guess; the reply must be JSON that
 * names one of the ask's labels. Activations and rows that are no whole frames are refused. A server that is busy, however it says so,
 * is left alone for as long as it asks, at least a second, by all asks. A parameter that the server refuses is left out from then on.
 */
export function createOpenAi(options: OpenAiOptions): Provider & { figures(): OpenAiFigures } {
  const { clock = systemClock, timeoutMillis = 20_000, maxTokens = 64, concurrency = 8 } = options;
  const url = chatUrl(options);
  const budget = createBudget(options.budget ?? {});
  const count = { requests: 0, malformedReplies: 0, rateLimited: 0, timeouts: 0, serverErrors: 0, overBudget: 0 };
  const name = `openai:${options.model}`.slice(0, 200);
  const troubles = createRepeatLimit<TroubleCode>(clock, options.onTrouble, { toldPerWindow: 1, windowMillis: TROUBLE_MILLIS });
  let pausedUntil = 0;
  let busyDetail = "";
  let shape = FULL_SHAPE;
  let isShapeKnown = false; // a request of this shape was answered, or a guess at it failed

  /** One request within the budget. */
  async function send(query: CloudQuery, sent: RequestShape): Promise<ChatResult | OverBudget> {
    const messages = promptOf(query, options.sensor);
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
    const most = { promptTokens: Math.ceil(characters / 2), completionTokens: maxTokens }; // a token is hardly ever less than two characters
    const reserved = budget.reserve(query.node, most);
    if (reserved !== "ok") {
      count.overBudget++;
      return reserved;
    }
    options.onSpent?.(budget.spent());
    count.requests++;
    const result = await chat({
      ...{ url, key: options.key, model: options.model, messages, maxTokens, shape: sent, clock },
      timeoutMillis: Math.min(timeoutMillis, query.deadlineAtMillis - clock.now()),
    });
    const replyChars = result.ok ? result.text.length + result.reasoning.length : result.replyChars;
    const guess = { promptTokens: Math.ceil(characters / 4), completionTokens: Math.ceil(replyChars / 4) };
    const isFree = !result.ok && replyChars === 0 && freeFailures.includes(result.kind);
    budget.settle(query.node, most, isFree ? none : ((result.ok ? result.usage : undefined) ?? guess));
    options.onSpent?.(budget.spent());
    return result;
  }

  /** Sends, and sends again without each parameter that the server refuses: at most once per parameter. */
  async function request(query: CloudQuery): Promise<ChatResult | OverBudget> {
    for (let sent = shape; ; ) {
      const result = await send(query, sent);
      if (typeof result === "string" || result.ok) {
        if (typeof result !== "string") isShapeKnown = true;
        return result;
      }
      const isRefused = result.kind === "rejected" || (result.kind === "server" && result.status !== undefined);
      const next = isRefused ? shapeWithout(sent, result.words ?? "") : undefined;
      if (next === undefined) return isRefused ? withoutFormat(query, sent, result) : result;
      troubles.tell("OPENAI_ADAPTED", `asking again without it: ${result.detail}`);
      shape = next;
      sent = next;
      if (query.deadlineAtMillis <= clock.now()) return result;
    }
  }

  /** A server that refuses the first request and does not say why may know no `response_format`: one guess. */
  async function withoutFormat(query: CloudQuery, sent: RequestShape, refusal: ChatFailure): Promise<ChatResult | OverBudget> {
    if (isShapeKnown || !sent.hasResponseFormat || (refusal.status !== 400 && refusal.status !== 422)) return refusal;
    isShapeKnown = true;
    const next = { ...sent, hasResponseFormat: false };
    const result = await send(query, next);
    if (typeof result === "string" || !result.ok) return refusal;
    troubles.tell("OPENAI_ADAPTED", `asking without response_format: ${refusal.detail}`);
    shape = next;
    return result;
  }

  async function answerOne(query: CloudQuery): Promise<CloudAnswer> {
    const detail = formFlaw(query, options.sensor);
    if (detail !== undefined) return { ok: false, reason: "form", detail };
    let flaw = "";
    for (let attempt = 0; attempt < TRIES && query.deadlineAtMillis > clock.now(); attempt++) {
      if (pausedUntil > clock.now()) return busy();
      const result = await request(query);
      if (typeof result === "string") return { ok: false, reason: "budget", detail: OVER_BUDGET[result] };
      if (!result.ok && result.kind !== "malformed") return failed(result);
      const answer = result.ok ? readAnswer(result, query.labels) : { ok: false as const, flaw: result.detail };
      if (answer.ok) return { ok: true, label: answer.label, confidence: answer.confidence, model: name };
      count.malformedReplies++;
      flaw = answer.flaw;
      if (!result.ok || !FINAL.includes(result.finish ?? "")) continue;
      flaw += CUT.includes(result.finish!) ? `; it was cut at ${maxTokens} tokens: raise --max-tokens` : `; it ended with ${result.finish}`;
      break; // the same question gets the same end
    }
    if (flaw === "") return { ok: false, reason: "provider", detail: "no time is left" };
    troubles.tell("OPENAI_UNREADABLE", flaw);
    return { ok: false, reason: "provider", detail: `the model's reply is of no use: ${flaw}` };
  }

  const busy = (): CloudAnswer => {
    const retryAfterMillis = Math.max(0, pausedUntil - clock.now());
    return { ok: false, reason: "busy", detail: `the model's server is busy: ${busyDetail}`, retryAfterMillis };
  };

  function failed(result: ChatFailure): CloudAnswer {
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
    return { ok: false, reason: "provider", detail, retryAfterMillis };
  }

  return {
    name,
    figures: () => ({ ...count, promptTokens: budget.promptTokens, completionTokens: budget.completionTokens, cost: budget.cost }),
    async answer(batch) {
      const answers: CloudAnswer[] = new Array(batch.length);
      let next = 0;
      const lane = async () => {
        for (let i = next++; i < batch.length; i = next++) answers[i] = await answerOne(batch[i]!);
      };
      await Promise.all(Array.from({ length: Math.min(concurrency, batch.length) }, lane));
      return answers;
    },
  };
}

const none = { promptTokens: 0, completionTokens: 0 };

/** The endpoint. A key never goes over plain text beyond this machine. */
function chatUrl({ baseUrl, key }: OpenAiOptions): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:") || url.username !== "" || url.password !== "") {
    throw new ConfigError(
      "OPENAI_URL",
      "the base URL is not one of a server: write it like http://127.0.0.1:11434/v1, the key in OPENAI_API_KEY and not in it.",
    );
  }
  if (key !== undefined && url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[|\]$/g, ""))) {
    throw new ConfigError(
      "OPENAI_PLAIN_TEXT",
      `the key would go to ${url.host} in plain text. Use https://, or unset OPENAI_API_KEY for a server that needs none.`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}/chat/completions`;
}
