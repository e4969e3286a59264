import type { ImportedModel, TokenizerData } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { ggufMagic, openGguf } from "./gguf.ts";
import { openLlama2c } from "./llama2c.ts";
import { readLlama2cTokenizer } from "./llama2c-tokenizer.ts";
import { isSafetensors, openSafetensors } from "./safetensors.ts";
import { openWeightFile, type WeightFile } from "./weight-file.ts";

export type CheckpointOptions = {
  /** The tokenizer's file: needed for llama2.c; for safetensors instead of the tokenizer.json beside it. */
  readonly tokenizer?: string | undefined;
};

/** Opens a checkpoint of any format that is read. Throws CheckpointError with what was found and what was expected. */
export function openCheckpoint(path: string, options: CheckpointOptions = {}): ImportedModel {
  const file = openWeightFile(path);
  try {
    return openByMagic(file, options.tokenizer);
  } catch (error) {
    file.close();
    throw error;
  }
}

function openByMagic(file: WeightFile, tokenizer: string | undefined): ImportedModel {
  const start = file.read(0, Math.min(9, file.byteLength), "header");
  if (Buffer.from(start.subarray(0, 4)).toString("latin1") === ggufMagic) {
    if (tokenizer === undefined) return openGguf(file);
    throw new CheckpointError("TOKENIZER_UNUSED", `${file.path}: a GGUF holds its tokenizer. Leave --tokenizer out.`);
  }
  if (isSafetensors(start)) return openSafetensors(file, tokenizer);
  const checkpoint = openLlama2c(file);
  if (tokenizer !== undefined) return { checkpoint, tokenizer: llama2cTokenizer(tokenizer, checkpoint.shape.vocab) };
  throw new CheckpointError(
    "TOKENIZER_MISSING",
    `${file.path}: a llama2.c checkpoint holds no tokenizer. Give the file that belongs to it with --tokenizer FILE.`,
  );
}

function llama2cTokenizer(path: string, vocab: number): TokenizerData {
  const file = openWeightFile(path);
  try {
    return readLlama2cTokenizer(file, vocab);
  } finally {
    file.close();
  }
}
