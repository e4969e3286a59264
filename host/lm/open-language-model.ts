import { statSync } from "node:fs";
import { createFloatEngine } from "./float-engine.ts";
import { openCheckpoint } from "./import/open-checkpoint.ts";
import type { LanguageEngine } from "./language-engine.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

export type LanguageModelOptions = {
  /** The tokenizer's file, for checkpoints that hold none. */
  readonly tokenizer?: string | undefined;
  readonly seed: number;
};

export type LanguageModel = { readonly engine: LanguageEngine; readonly tokenizer: Tokenizer };

/** Opens a checkpoint and runs it in float32. */
export function openLanguageModel(path: string, options: LanguageModelOptions): LanguageModel {
  const { checkpoint, tokenizer } = openCheckpoint(path, options);
  try {
    const engine = createFloatEngine(checkpoint, { imageBytes: statSync(path).size, seed: options.seed });
    return { engine, tokenizer: createTokenizer(tokenizer) };
  } finally {
    checkpoint.close();
  }
}
