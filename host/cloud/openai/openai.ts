import { type Clock, systemClock } from "../../core/system/clock.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { type RandomBytes, systemRandom } from "../../mqtt/transport/backoff.ts";
import { isLoopback } from "../../mqtt/transport/broker-url.ts";
import type { CloudAnswer, CloudQuery, CloudTextAnswer, CloudTextQuery, Provider } from "../provider.ts";
import type { TextAnswerer } from "../text-chain.ts";
import type { BudgetLimits, Spent } from "./budget.ts";
import { type ChatFigures, createChatClient, type ReplyFlaw, type TroubleCode } from "./chat-client.ts";
import { formFlaw, promptOf, type SensorDescription } from "./prompt.ts";
import { readAnswer } from "./read-answer.ts";
import { readTextAnswer } from "./read-text-answer.ts";
import { REPLY_SCHEMA, textPrompt } from "./text-prompt.ts";

export interface OpenAiOptions {
  /** Of any OpenAI-compatible server, up to and with `/v1`: vLLM, Ollama, llama.cpp, LM Studio, LiteLLM, OpenRouter, OpenAI. */
  readonly baseUrl: string;
  readonly model: string;
  /** From the environment alone; a local server may need none. */
  readonly key?: string | undefined;
  readonly sensor: SensorDescription;
  readonly clock?: Clock;
  /** Draws the boundaries of a text prompt. Default: the system's. */
  readonly random?: RandomBytes;
  /** Requests under way at once, default 8. */
  readonly concurrency?: number;
  /** Longest request, default 20000; never beyond the ask's deadline. */
  readonly timeoutMillis?: number;
  /** Of a reply, its thoughts included: default 64 for a sensor ask, 256 for a text ask. */
  readonly maxTokens?: number;
  readonly budget?: BudgetLimits;
  /** Called before and after each request. */
  readonly onSpent?: (spent: Spent) => void;
  /** What the server refuses or fails at, in its own words; at most one call per code and ten seconds. */
  readonly onTrouble?: (code: TroubleCode, detail: string) => void;
}

const LABEL_TOKENS = 64;
const TEXT_TOKENS = 256;
/** Reasons of refusals on the wire: a device counts outcomes by them. */
const REASONS: Readonly<Record<ReplyFlaw, string>> = {
  withoutJson: "reply-without-json",
  cut: "reply-cut",
  offSchema: "reply-off-schema",
  tooLong: "reply-too-long",
  oversized: "reply-oversized",
  unknownPlaceholder: "reply-placeholder",
};

/**
 * Answers from a language model. A sensor ask is answered from facts computed of its window and the device's own guess; the reply must be JSON
 * that names one of the ask's labels. A text ask is answered from the facts and the question alone; the reply must be `{kind, text}`.
 * Activations and rows that are no whole frames are refused.
 */
export function createOpenAi(options: OpenAiOptions): Provider & TextAnswerer & { figures(): ChatFigures } {
  const { clock = systemClock, random = systemRandom, timeoutMillis = 20_000, concurrency = 8, budget = {} } = options;
  const { model, key, onSpent, onTrouble } = options;
  const client = createChatClient({ url: chatUrl(options), key, model, clock, timeoutMillis, budget, onSpent, onTrouble });
  const name = `openai:${model}`.slice(0, 200);

  async function answerOne(query: CloudQuery): Promise<CloudAnswer> {
    const detail = formFlaw(query, options.sensor);
    if (detail !== undefined) return { ok: false, reason: "form", detail };
    const answer = await client.ask({
      node: query.node,
      deadlineAtMillis: query.deadlineAtMillis,
      messages: promptOf(query, options.sensor),
      maxTokens: options.maxTokens ?? LABEL_TOKENS,
      format: "json",
      read: (reply) => readAnswer(reply, query.labels),
      refuse: (_, why) => ({ ok: false, reason: "provider", detail: why }),
    });
    return answer.ok ? { ...answer, model: name } : answer;
  }

  async function answerText(query: CloudTextQuery): Promise<CloudTextAnswer> {
    const answer = await client.ask({
      node: query.node,
      deadlineAtMillis: query.deadlineAtMillis,
      messages: textPrompt(query, random),
      maxTokens: options.maxTokens ?? TEXT_TOKENS,
      format: REPLY_SCHEMA,
      read: (reply) => readTextAnswer(reply, query),
      refuse: (kind, why) => ({ ok: false, reason: REASONS[kind], detail: why }),
    });
    return answer.ok ? { ...answer, model: name } : answer;
  }

  /** `concurrency` at a time, the answers in the order of the batch. */
  async function each<Q, A>(batch: readonly Q[], answer: (query: Q) => Promise<A>): Promise<A[]> {
    const answers: A[] = new Array(batch.length);
    let next = 0;
    const lane = async () => {
      for (let i = next++; i < batch.length; i = next++) answers[i] = await answer(batch[i]!);
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, batch.length) }, lane));
    return answers;
  }

  return {
    name,
    figures: () => client.figures(),
    answer: (batch) => each(batch, answerOne),
    answerText: (batch) => each(batch, answerText),
  };
}

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
