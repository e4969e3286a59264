import { resolve } from "node:path";
import { ConfigError, DataError } from "../../core/system/errors.ts";
import type { Output } from "../../core/system/output.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import type { MemoryVariant } from "../../firmware/c/compile.ts";
import { emulateLanguage } from "../../firmware/emulate/emulate-language.ts";
import { xipMissCycles } from "../../firmware/emulate/xip-misses.ts";
import type { KernelChoice } from "../../firmware/mcu/build-options.ts";
import type { Target } from "../../firmware/mcu/target.ts";
import { LanguageModel } from "../../lm/language-model.ts";
import { createTokenizer } from "../../lm/tokenizer.ts";
import { decodeTokenizer } from "../../lm/tokenizer-section.ts";

interface EmulateLanguageModelOptions {
  readonly cwd: string;
  readonly target: Target;
  readonly variant: MemoryVariant;
  readonly kernels: KernelChoice;
  readonly prompt: string;
  readonly tokens: number;
  readonly context: number;
  readonly window: number;
}

/** `dormouse emulate --lm`: tokens and their costs on the board, compared with the host's. */
export async function emulateLanguageModel(out: Output, path: string, options: EmulateLanguageModelOptions): Promise<void> {
  const { cwd, target, variant, kernels, tokens, context, window } = options;
  const model = LanguageModel.open(resolve(cwd, path), "scalar");
  const image = readWhole(resolve(cwd, path));
  const tokenizer = createTokenizer(decodeTokenizer(model.image.tokenizer));
  const prompt = tokenizer.encode(options.prompt);
  if (prompt.length === 0) throw new ConfigError("PROMPT_EMPTY", "the prompt has no token: give --prompt some text.");
  if (prompt.length + tokens > context)
    throw new ConfigError(
      "CONTEXT_TOO_SHORT",
      `the prompt's ${prompt.length} tokens and ${tokens} more exceed --context ${context}: give --context ${prompt.length + tokens} or fewer --tokens.`,
    );
  out.note(`Building for ${target.id}, then ${tokens} tokens after ${context - tokens} …`);
  const settings = { target, image, model, prompt, tokens, context, window, variant, kernels };
  const progress = out.progress("tokens");
  const result = await emulateLanguage({ ...settings, onToken: (done) => progress.at(done, tokens) });
  progress.end();
  const { emulator, unit, identical, firstDifference, lastCost, meanCost, stackBytes, arenaBytes, flashBytes, ramBytes, start, generated } =
    result;
  const misses = xipMissCycles(target, model.image);
  const { name } = model.image.manifest;
  out.say(
    `${name} on ${target.id} (${emulator}, ${variant} memory, kernels in ${kernels}): ${tokens} tokens, ${identical ? "identical to the host's" : "NOT the host's"}`,
  );
  out.say(`${lastCost} ${unit} per token at context ${context}, ${meanCost} on average; ${stackBytes} B of stack`);
  if (misses !== undefined) out.say(`XIP cache misses are not emulated: calculated, they add up to ${misses} cycles per token`);
  out.say(`flash ${flashBytes} B, of it the image ${image.length} B, read in place; RAM ${ramBytes} B at a window of ${window}`);
  out.document({
    ...{ board: target.id, model: name, emulator, variant, kernels, tokens, identical },
    ...(firstDifference === undefined ? {} : { firstDifference }),
    ...{ context, window },
    [`${unit}PerToken`]: lastCost,
    [unit === "cycles" ? "meanCyclesPerToken" : "meanInstructionsPerToken"]: meanCost,
    ...(misses === undefined ? {} : { xipMissCyclesPerToken: misses }),
    ...{ ramBytes, flashBytes, imageBytes: image.length, arenaBytes, stackBytes },
    ...{ text: tokenizer.decode([...start, ...generated]) },
  });
  if (!identical)
    throw new DataError(
      "EMULATION_DIFFERS",
      `token ${firstDifference} of the emulated board is not the host's: keep the image and the prompt, and report it.`,
    );
}
