import { basename, extname } from "node:path";
import { type CheckpointOptions, openCheckpoint } from "./import/open-checkpoint.ts";
import { quantiseLlama } from "./quantise.ts";
import { residualMax } from "./residual-max.ts";
import { encodeTokenizer } from "./tokenizer-section.ts";

export type Imported = { readonly image: Uint8Array; readonly residualMax: number };

export interface ImportOptions extends CheckpointOptions {
  readonly groups?: 0 | 32 | 64;
  /** Called after each block is run, and again after it is quantised. */
  readonly onBlock?: (done: number, total: number) => void;
}

/** Makes a language image of a checkpoint: int8 per row or per group of columns, with its tokenizer. Weights are read a few rows at a time. */
export function importModel(path: string, options: ImportOptions): Imported {
  const model = openCheckpoint(path, options);
  const { onBlock } = options;
  const total = 2 * model.checkpoint.shape.layers;
  let done = 0;
  const count = onBlock && (() => onBlock(++done, total));
  try {
    const largest = residualMax(model, count);
    const image = quantiseLlama(model.checkpoint, {
      name: basename(path, extname(path)),
      source: basename(path),
      tokenizer: encodeTokenizer(model.tokenizer),
      residualMax: largest,
      groups: options.groups ?? 0,
      ...(count && { onBlock: count }),
    });
    return { image, residualMax: largest };
  } finally {
    model.checkpoint.close();
  }
}
