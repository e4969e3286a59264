import type { ImportedModel, TokenizerData } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { ggufMagic, openGguf } from "./gguf.ts";
import { openLlama2c } from "./llama2c.ts";
import { readLlama2cTokenizer } from "./llama2c-tokenizer.ts";
import { openWeightFile } from "./weight-file.ts";

/** Opens a checkpoint of any format that is read. Throws CheckpointError with what was found and what was expected. */
export function openCheckpoint(path: string, options: { readonly tokenizer?: string | undefined } = {}): ImportedModel {
  const file = openWeightFile(path);
  try {
    const magic = Buffer.from(file.read(0, 4, "header")).toString("latin1");
    if (magic === ggufMagic) return openGguf(file);
    const checkpoint = openLlama2c(file);
    if (options.tokenizer === undefined)
      throw new CheckpointError(
        "TOKENIZER_MISSING",
        `${path}: a llama2.c checkpoint holds no tokenizer. Give the file that belongs to it with --tokenizer FILE.`,
      );
    return { checkpoint, tokenizer: llama2cTokenizer(options.tokenizer, checkpoint.shape.vocab) };
  } catch (error) {
    file.close();
    throw error;
  }
}

function llama2cTokenizer(path: string, vocab: number): TokenizerData {
  const file = openWeightFile(path);
  try {
    return readLlama2cTokenizer(file, vocab);
  } finally {
    file.close();
  }
}
