import { type Clock, systemClock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import { isLoopback } from "../../mqtt/broker-url.ts";
import type { CloudAnswer, CloudQuery, Provider } from "../provider.ts";
import { type BudgetLimits, createBudget } from "./budget.ts";
import { type ChatResult, chat } from "./chat.ts";
import { formFlaw, promptOf, readReply, type SensorDescription } from "./prompt.ts";

export interface OpenAiOptions {
  /** Of any OpenAI-compatible server, up to and with `/v1`: vLLM, Ollama, llama.cpp, OpenAI. */
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
  /** Of a reply, default 64. */
  readonly maxTokens?: number;
  readonly budget?: BudgetLimits;
}

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
/** A malformed reply is asked for once more, where there is time. */
const TRIES = 2;

/**
 * Answers from a language model. The prompt has the ask's channel statistics and the device's own guess; the reply must be JSON that
 * names one of the ask's labels. Activations and rows that are no whole frames are refused. A server that says 429 is left alone for as
 * long as it asks, at least a second, by all asks.
 */
export function createOpenAi(options: OpenAiOptions): Provider & { figures(): OpenAiFigures } {
  const { clock = systemClock, timeoutMillis = 20_000, maxTokens = 64, concurrency = 8 } = options;
  const url = chatUrl(options);
  const budget = createBudget(options.budget ?? {});
  const count = { requests: 0, malformedReplies: 0, rateLimited: 0, timeouts: 0, serverErrors: 0, overBudget: 0 };
  const name = `openai:${options.model}`.slice(0, 200);
  let pausedUntil = 0;

  async function request(query: CloudQuery): Promise<ChatResult | "spent"> {
    const messages = promptOf(query, options.sensor);
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
    const most = { promptTokens: Math.ceil(characters / 2), completionTokens: maxTokens }; // a token is hardly ever less than two characters
    if (!budget.reserve(most)) {
      count.overBudget++;
      return "spent";
    }
    count.requests++;
    const abort = new AbortController();
    const cancel = clock.after(Math.min(timeoutMillis, query.deadlineAtMillis - clock.now()), () => abort.abort());
    const result = await chat({
      ...{ url, key: options.key, model: options.model, messages, maxTokens },
      signal: abort.signal,
      nowWallMillis: clock.wall(),
    });
    cancel();
    const guess = { promptTokens: Math.ceil(characters / 4), completionTokens: result.ok ? Math.ceil(result.text.length / 4) : 0 };
    const isFree = !result.ok && freeFailures.includes(result.kind);
    budget.settle(most, isFree ? none : ((result.ok ? result.usage : undefined) ?? guess));
    return result;
  }

  async function answerOne(query: CloudQuery): Promise<CloudAnswer> {
    const detail = formFlaw(query, options.sensor);
    if (detail !== undefined) return { ok: false, reason: "form", detail };
    let flaw = "";
    for (let attempt = 0; attempt < TRIES && query.deadlineAtMillis > clock.now(); attempt++) {
      if (pausedUntil > clock.now()) return busy();
      const result = await request(query);
      if (result === "spent") return { ok: false, reason: "budget", detail: "this worker's token budget is spent" };
      if (!result.ok && result.kind !== "malformed") return failed(result);
      const reply = result.ok ? readReply(result.text, query.labels) : { ok: false as const, flaw: result.detail };
      if (reply.ok) return { ok: true, label: reply.label, confidence: reply.confidence, model: name };
      count.malformedReplies++;
      flaw = reply.flaw;
    }
    return { ok: false, reason: "provider", detail: flaw === "" ? "no time is left" : `the model's reply is of no use: ${flaw}` };
  }

  const busy = (): CloudAnswer => {
    const retryAfterMillis = Math.max(0, pausedUntil - clock.now());
    return { ok: false, reason: "busy", detail: "the model's server asks for patience", retryAfterMillis };
  };

  function failed(result: Extract<ChatResult, { ok: false }>): CloudAnswer {
    const { kind, detail } = result;
    const retryAfterMillis = Math.max(BUSY_MILLIS, result.retryAfterMillis ?? 0);
    if (kind === "busy") {
      count.rateLimited++;
      pausedUntil = Math.max(pausedUntil, clock.now() + retryAfterMillis);
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
