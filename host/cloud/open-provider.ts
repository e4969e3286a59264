import { readFileSync } from "node:fs";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import { peekManifest } from "../core/image/image-read.ts";
import { channelsText } from "../core/image/imu-channels.ts";
import type { EngineName } from "../core/session/session-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { createIntents } from "./intents/intents.ts";
import { openIntents } from "./intents/open-intents.ts";
import { openTeacher } from "./open-teacher.ts";
import type { Spent } from "./openai/budget.ts";
import { createOpenAi, type OpenAiOptions } from "./openai/openai.ts";
import type { Provider } from "./provider.ts";
import { chainText } from "./text-chain.ts";

export const PROVIDER_NAMES = ["teacher", "intents", "openai"] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** What `dormouse cloud` reports about its provider. */
export interface ProviderOptions {
  readonly provider: readonly ProviderName[];
  readonly baseUrl?: string;
  readonly model?: string;
  readonly maxTokens?: number;
  readonly maxTokensTotal?: number;
  readonly maxCost?: number;
  readonly pricePerMillion?: { readonly prompt: number; readonly completion: number };
  readonly concurrency: number;
  readonly engine: EngineName;
}

interface Opened {
  readonly provider: Provider;
  readonly figures: () => object;
}

type Observe = Pick<OpenAiOptions, "onTrouble" | "onSpent">;

/**
 * The named providers as one, and what they count beside the worker. The first that reads sensor data answers sensor asks; a question in
 * text goes to each that answers text, in order, until one says something.
 */
export async function openProvider(agent: LoadedAgent, options: ProviderOptions, io: CliIo, observe: Observe = {}): Promise<Opened> {
  const { provider: names } = options;
  const teacher = names.includes("teacher") ? await openTeacher(agent, options.engine) : undefined;
  const openai = names.includes("openai") ? openOpenAi(agent, options, io, observe) : undefined;
  const intents = names.includes("intents") ? createIntents(await openIntents()) : undefined;
  const answerers = names.flatMap((name) => (name === "openai" ? openai! : name === "intents" ? intents! : []));
  const [first, ...others] = answerers;
  const text = first && chainText([first, ...others]);
  const sensor = names.find((name) => name !== "intents") === "openai" ? openai : teacher;
  return {
    provider: {
      name: [teacher?.name, text?.name].filter((name) => name !== undefined).join(","),
      answer: (batch) => sensor?.answer(batch) ?? Promise.resolve(batch.map(() => NO_SENSOR)),
      ...(text && { answerText: text.answerText }),
    },
    figures: () => ({ ...intents?.figures(), ...openai?.figures() }),
  };
}

const NO_SENSOR = { ok: false, reason: "form", detail: "this worker answers questions in text, and reads no sensor data" } as const;

function openOpenAi(agent: LoadedAgent, options: ProviderOptions, io: CliIo, observe: Observe): ReturnType<typeof createOpenAi> {
  if (options.baseUrl === undefined || options.model === undefined) {
    throw new ConfigError("OPENAI_INCOMPLETE", "the provider openai needs --base-url and --model. Name the server and one of its models.");
  }
  const { sensor, description } = agent.definition;
  const { channels, orientation } = peekManifest(readFileSync(agent.modelPath));
  return createOpenAi({
    baseUrl: options.baseUrl,
    model: options.model,
    key: io.env.OPENAI_API_KEY,
    sensor: {
      channels: channels.map(({ name }) => name),
      rateHz: sensor.rateHz,
      about: `${description} Sensor: ${channelsText(channels)}; ${sensor.orientation || orientation || "orientation not stated"}.`,
    },
    clock: io.clock,
    concurrency: options.concurrency,
    ...(options.maxTokens === undefined ? {} : { maxTokens: options.maxTokens }),
    ...observe,
    budget: {
      ...(options.maxTokensTotal === undefined ? {} : { maxTokens: options.maxTokensTotal }),
      ...(options.maxCost === undefined ? {} : { maxCost: options.maxCost }),
      ...(options.pricePerMillion === undefined ? {} : { pricePerMillion: options.pricePerMillion }),
    },
  });
}

/** The same options for a worker's own process. Each of N has its own budget: an N-th, less what its earlier processes have spent. */
export function providerArguments(options: ProviderOptions, workers: number, spent: Spent): string[] {
  const { baseUrl, model, maxTokens, maxTokensTotal, maxCost, pricePerMillion } = options;
  return [
    ...["--provider", options.provider.join(",")],
    ...(options.provider.includes("openai") ? ["--concurrency", String(options.concurrency)] : []),
    ...(maxTokens === undefined ? [] : ["--max-tokens", String(maxTokens)]),
    ...(baseUrl === undefined ? [] : ["--base-url", baseUrl]),
    ...(model === undefined ? [] : ["--model", model]),
    ...(maxTokensTotal === undefined
      ? []
      : ["--max-tokens-total", String(Math.max(1, Math.floor(maxTokensTotal / workers - spent.tokens)))]),
    ...(maxCost === undefined ? [] : ["--max-cost", String(Math.max(0, maxCost / workers - spent.cost))]),
    ...(pricePerMillion === undefined ? [] : ["--price-per-million", `${pricePerMillion.prompt},${pricePerMillion.completion}`]),
  ];
}
