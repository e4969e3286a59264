import { TEXT_LIMIT_BYTES } from "../../assembly/text/layout.ts";
import { clampS8, requantize } from "../../host/core/arithmetic/fixed-point.ts";
import { linearS8, rowsToS16 } from "../../host/core/arithmetic/linear-s8.ts";
import { softmax } from "../../host/core/arithmetic/softmax.ts";
import { hashBytes, rowOf } from "../../host/core/text/text-features.ts";
import type { TextImage } from "../../host/core/text/text-image.ts";

export interface TextResult {
  readonly rows: Uint32Array;
  readonly logits: Int16Array; // (nClasses,) Q10
  readonly label: number;
  readonly probability: number; // Q15
  readonly isCut: boolean;
}

/** Σ table[row], (n,) s32. Core: assembly/kernels/bag-s8.ts. */
export function bagS8(table: Int8Array, rows: Uint32Array, n: number): Int32Array {
  const acc = new Int32Array(n);
  for (const row of rows) for (let k = 0; k < n; k++) acc[k]! += table[row * n + k]!;
  return acc;
}

/** What a text model makes of UTF-8, plainly: the oracle of assembly/text. */
export function classifyBytes(image: TextImage, utf8: Uint8Array): TextResult {
  const { hashes, isCut } = hashBytes(utf8.subarray(0, TEXT_LIMIT_BYTES));
  const rows = Uint32Array.from(hashes, (hash) => rowOf(hash, image.rows));
  const root = rows.length === 0 ? 0 : Math.floor(Math.sqrt(Math.floor(2 ** 30 / rows.length)));
  const sums = bagS8(image.table, rows, image.dModel);
  const hidden = Int8Array.from(sums, (sum, k) => clampS8(requantize(sum * root, image.hiddenMultiplier[k]!, image.hiddenShift[k]!)));
  const logits = rowsToS16(linearS8(hidden, image.head), image.head);
  const { p } = softmax(logits, image.temperature);
  const label = logits.indexOf(Math.max(...logits));
  return { rows, logits, label, probability: rows.length === 0 ? 0 : p[label]!, isCut };
}
