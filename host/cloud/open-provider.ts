import { readFileSync } from "node:fs";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import { peekManifest } from "../core/image/image-read.ts";
import { channelsText } from "../core/image/imu-channels.ts";
import type { EngineName } from "../core/session/session-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { openTeacher } from "./open-teacher.ts";
import type { Spent } from "./openai/budget.ts";
import { createOpenAi, type OpenAiOptions } from "./openai/openai.ts";
import type { Provider } from "./provider.ts";

/** What `dormouse cloud` reports about its provider. */
export interface ProviderOptions {
  readonly provider: "teacher" | "openai";
  readonly baseUrl?: string;
  readonly model?: string;
  readonly maxTokens?: number;
  readonly maxTokensTotal?: number;
  readonly maxCost?: number;
  readonly pricePerMillion?: { readonly prompt: number; readonly completion: number };
  readonly concurrency: number;
  readonly engine: EngineName;
}

/** The provider, and what it counts beside the worker. */
export async function openProvider(
  agent: LoadedAgent,
  options: ProviderOptions,
  io: CliIo,
  observe: Pick<OpenAiOptions, "onTrouble" | "onSpent"> = {},
): Promise<{ provider: Provider; figures: () => object }> {
  if (options.provider === "teacher") return { provider: await openTeacher(agent, options.engine), figures: () => ({}) };
  if (options.baseUrl === undefined || options.model === undefined) {
    throw new ConfigError("OPENAI_INCOMPLETE", "the provider openai needs --base-url and --model. Name the server and one of its models.");
  }
  const { sensor, description } = agent.definition;
  const { channels, orientation } = peekManifest(readFileSync(agent.modelPath));
  const provider = createOpenAi({
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
  return { provider, figures: () => provider.figures() };
}

/** The same options for a worker's own process. Each of N has its own budget: an N-th, less what its earlier processes have spent. */
export function providerArguments(options: ProviderOptions, workers: number, spent: Spent): string[] {
  const { baseUrl, model, maxTokens, maxTokensTotal, maxCost, pricePerMillion } = options;
  return [
    ...["--provider", options.provider],
    ...(options.provider === "openai" ? ["--concurrency", String(options.concurrency)] : []),
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
