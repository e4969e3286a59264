import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { imageHash } from "../../core/image/image-header.ts";
import { createOutput } from "../../core/system/output.ts";
import { writeWhole } from "../../core/system/private-file.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { readLanguageImage } from "../../lm/image-read.ts";
import { importModel } from "../../lm/import-model.ts";
import { checkWritable, writing } from "../common/files.ts";
import { jsonOption } from "../common/options.ts";

interface ImportVerbOptions {
  readonly out: string;
  readonly tokenizer?: string;
  readonly groups?: "32" | "64";
  readonly json: boolean;
}

/** `dormouse import`: a checkpoint becomes a language image. */
export function registerImport(program: Command, io: CliIo): void {
  program
    .command("import")
    .description("Convert a Llama checkpoint to an int8 language image (.dmm): llama2.c, safetensors or GGUF.")
    .argument("<file>", "llama2.c (.bin), .safetensors with config.json and tokenizer.json beside it, or .gguf")
    .requiredOption("--out <file>", "write the image to this file")
    .option("--tokenizer <file>", "read the tokenizer of a llama2.c checkpoint, or another tokenizer.json, from this file")
    .addOption(new Option("--groups <columns>", "store a scale per 32 or 64 columns of a row instead of per row").choices(["32", "64"]))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExit code 2: the checkpoint cannot be imported; the message says what was found and what was expected.\n\nExample:\n  $ dormouse import stories260K.bin --tokenizer tok512.bin --out stories.dmm",
    )
    .action((file: string, options: ImportVerbOptions) => importVerb(io, file, options));
}

function importVerb(io: CliIo, file: string, options: ImportVerbOptions): void {
  const out = createOutput(io, options.json);
  const to = resolve(io.cwd, options.out);
  checkWritable(to);
  const progress = out.progress("blocks");
  const { image, residualMax } = importModel(resolve(io.cwd, file), {
    tokenizer: options.tokenizer === undefined ? undefined : resolve(io.cwd, options.tokenizer),
    groups: options.groups === undefined ? 0 : (Number(options.groups) as 32 | 64),
    onBlock: progress.at,
  });
  progress.end();
  writing(to, () => writeWhole(to, image));
  const { manifest, vocabulary, context, blocks, dModel, residualBits, tokenizer } = readLanguageImage(image);
  const hash = imageHash(image);
  out.say(`${to}: ${image.length} B, image hash ${hash}`);
  out.say(
    `${manifest.name}: ${manifest.parameters} parameters, ${blocks.length} blocks of width ${dModel}, ${vocabulary} tokens, context ${context}`,
  );
  const shape = { parameters: manifest.parameters, blocks: blocks.length, dModel, vocabulary, context };
  out.document({ out: to, imageBytes: image.length, tokenizerBytes: tokenizer.length, hash, ...shape, residualMax, residualBits });
}
