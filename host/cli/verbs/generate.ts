import { resolve } from "node:path";
import type { Command } from "commander";
import { createOutput } from "../../core/system/output.ts";
import { plainLines } from "../../core/system/plain-text.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { type GenerateOptions, generate } from "../../lm/generate.ts";
import { type LanguageEngineName, openLanguageModel } from "../../lm/open-language-model.ts";
import { cpuMillis } from "../common/cpu-millis.ts";
import { languageEngineOption, tokenizerOption, windowOption } from "../common/language-options.ts";
import { jsonOption, numberAtLeast, probability, refuseWith, wholeNumber } from "../common/options.ts";

interface GenerateVerbOptions {
  readonly model: string;
  readonly tokenizer?: string;
  readonly prompt: string;
  readonly max: number;
  readonly greedy: boolean;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
  readonly window?: number;
  readonly engine?: LanguageEngineName;
  readonly json: boolean;
}

/** Tokens per event-loop turn; the reader of the output may have left. */
const TURN_TOKENS = 32;

/** `dormouse generate`: a language model continues a prompt. */
export function registerGenerate(program: Command, io: CliIo): void {
  program
    .command("generate")
    .description("Generate text from a prompt with a small language model, token by token.")
    .requiredOption("--model <file>", "read a language image (.dmm), or a checkpoint as dormouse import does")
    .addOption(tokenizerOption())
    .requiredOption("--prompt <text>", "continue this text")
    .option("--max <n>", "generate at most this many tokens", wholeNumber(1, 1_000_000), 256)
    .option("--greedy", "take the most probable token each time", false)
    .option("--temperature <t>", "divide logits by this; above 1 flattens the distribution, below 1 sharpens it", numberAtLeast(0.01), 1)
    .option("--top-k <n>", "draw from the n most probable tokens; 0: all", wholeNumber(0), 0)
    .option("--top-p <p>", "draw from the most probable tokens that together reach p", probability, 0.9)
    .option("--seed <n>", "seed the random draws", wholeNumber(0, 4_294_967_295), 1)
    .addOption(windowOption())
    .addOption(languageEngineOption())
    .addOption(jsonOption())
    .addHelpText("after", '\nExample:\n  $ dormouse generate --model stories.dmm --prompt "Once upon a time" --max 200 --greedy')
    .action((options: GenerateVerbOptions, command: Command) => generateVerb(io, options, command));
}

async function generateVerb(io: CliIo, options: GenerateVerbOptions, command: Command): Promise<void> {
  if (options.greedy) refuseWith(command, "--greedy", "--temperature", "--top-k", "--top-p", "--seed");
  const out = createOutput(io, options.json);
  const { engine, tokenizer } = openLanguageModel(resolve(io.cwd, options.model), {
    tokenizer: options.tokenizer === undefined ? undefined : resolve(io.cwd, options.tokenizer),
    engine: options.engine,
    window: options.window,
    seed: options.seed,
  });
  let tokens = 0;
  const write = (text: string): void => io.stdout(plainLines(text));
  const settings: GenerateOptions = {
    prompt: options.prompt,
    max: options.max,
    sampling: { temperature: options.greedy ? 0 : options.temperature, topK: options.topK, topP: options.topP },
    now: () => io.clock.now(),
    async onToken() {
      tokens += 1;
      if (tokens % TURN_TOKENS === 0) await new Promise((next) => setImmediate(next));
      return io.interrupt.aborted ? "stop" : "continue";
    },
  };
  const start = cpuMillis();
  const generated = await generate(engine, tokenizer, options.json ? settings : { ...settings, onText: write });
  const cpuSeconds = (cpuMillis() - start) / 1000;
  const tokensPerCpuSecond = Math.round((generated.promptTokens + generated.tokens) / cpuSeconds);
  const { name, imageBytes, kvBytes, peakBytes } = engine;
  if (!options.json) io.stdout("\n");
  const first = generated.timeToFirstTokenMillis;
  out.note(`${generated.tokens} tokens, ${tokensPerCpuSecond} tokens per CPU second, first token after ${first?.toFixed(1)} ms`);
  out.document({ ...generated, engine: name, tokensPerCpuSecond, imageBytes, kvBytes, peakBytes });
}
