import { resolve } from "node:path";
import type { Command } from "commander";
import { ConfigError, DataError } from "../../core/system/errors.ts";
import { createOutput } from "../../core/system/output.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { evaluateLanguage, storiesOf } from "../../lm/evaluate-language.ts";
import { type LanguageEngineName, openLanguageModel } from "../../lm/open-language-model.ts";
import { cpuMillis } from "../common/cpu-millis.ts";
import { languageEngineOption, tokenizerOption, windowOption } from "../common/language-options.ts";
import { jsonOption, refuseWithout, wholeNumber } from "../common/options.ts";

interface EvalLmOptions {
  readonly model: string;
  readonly text: string;
  readonly float?: string;
  readonly tokenizer?: string;
  readonly max: number;
  readonly window?: number;
  readonly engine?: LanguageEngineName;
  readonly reset: boolean;
  readonly json: boolean;
}

/** `dormouse eval-lm`: perplexity of a language image beside float32. */
export function registerEvalLm(program: Command, io: CliIo): void {
  program
    .command("eval-lm")
    .description("Measure the perplexity of a language image on a text, and how often it agrees with float32.")
    .requiredOption("--model <file>", "read this language image (.dmm)")
    .requiredOption("--text <file>", "score this UTF-8 text; <|endoftext|> separates stories")
    .option("--float <file>", "compare with this checkpoint (default: the image's weights in float32)")
    .addOption(tokenizerOption())
    .option("--max <n>", "stop after the story that reaches this many tokens", wholeNumber(1), 20_000)
    .option("--no-reset", "keep the state from one story to the next instead of resetting it")
    .addOption(windowOption())
    .addOption(languageEngineOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExample:\n  $ dormouse eval-lm --model stories.dmm --text stories.txt --float stories260K.bin --tokenizer tok512.bin",
    )
    .action((options: EvalLmOptions, command: Command) => evalLm(io, options, command));
}

async function evalLm(io: CliIo, options: EvalLmOptions, command: Command): Promise<void> {
  if (options.float === undefined) refuseWithout(command, "--float", "--tokenizer");
  const out = createOutput(io, options.json);
  const at = (path: string): string => resolve(io.cwd, path);
  const { window } = options;
  const text = readText(at(options.text));
  const { engine, tokenizer } = openLanguageModel(at(options.model), { engine: options.engine, window });
  const reference =
    options.float === undefined
      ? openLanguageModel(at(options.model), { engine: "float", window })
      : openLanguageModel(at(options.float), { engine: "float", window, tokenizer: options.tokenizer && at(options.tokenizer) });
  if (reference.engine.vocab !== engine.vocab)
    throw new ConfigError(
      "EVAL_VOCABULARY",
      `${options.float} has ${reference.engine.vocab} tokens, ${options.model} has ${engine.vocab}: give the checkpoint it was imported from.`,
    );
  const start = cpuMillis();
  const progress = out.progress("tokens");
  const evaluation = await evaluateLanguage(engine, reference.engine, tokenizer, storiesOf(text), {
    max: options.max,
    resets: options.reset,
    async onText(tokens) {
      await new Promise((next) => setImmediate(next));
      progress.at(tokens, options.max);
    },
  });
  progress.end();
  if (evaluation.tokens === 0) throw new DataError("EVAL_TEXT", `${options.text} has no tokens to predict: give a text of some sentences.`);
  const compared = options.float === undefined ? "image" : "checkpoint";
  const { perplexity, perplexityFloat, ratio, agreement, tokens } = evaluation;
  const percent = (100 * agreement).toFixed(2);
  out.say(`${tokens} tokens: perplexity ${perplexity.toFixed(4)}, float32 of the ${compared} ${perplexityFloat.toFixed(4)}`);
  out.say(`ratio ${ratio.toFixed(4)}, the same most probable token at ${percent} % of positions`);
  const { name, kvBytes, peakBytes } = engine;
  const seconds = (cpuMillis() - start) / 1000;
  out.document({ ...evaluation, float: compared, resets: options.reset, engine: name, kvBytes, peakBytes, cpuSeconds: seconds });
}

function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readWhole(path));
  } catch (cause) {
    throw new DataError("FILE_UNREADABLE", `cannot read ${path} as UTF-8 text: check the path.`, { cause });
  }
}
