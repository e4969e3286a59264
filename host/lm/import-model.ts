import { basename, extname } from "node:path";
import { type CheckpointOptions, openCheckpoint } from "./import/open-checkpoint.ts";
import { quantiseLlama } from "./quantise.ts";
import { residualMax } from "./residual-max.ts";
import { encodeTokenizer } from "./tokenizer-section.ts";

export type Imported = { readonly image: Uint8Array; readonly residualMax: number };

/** Makes a language image of a checkpoint: int8 per row or per group of columns, with its tokenizer. Weights are read a few rows at a time. */
export function importModel(path: string, options: CheckpointOptions & { readonly groups?: 0 | 32 | 64 }): Imported {
  const model = openCheckpoint(path, options);
  try {
    const largest = residualMax(model);
    const image = quantiseLlama(model.checkpoint, {
      name: basename(path, extname(path)),
      source: basename(path),
      tokenizer: encodeTokenizer(model.tokenizer),
      residualMax: largest,
      groups: options.groups ?? 0,
    });
    return { image, residualMax: largest };
  } finally {
    model.checkpoint.close();
  }
}
