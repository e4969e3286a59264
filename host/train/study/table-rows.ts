import { type Spread, spread, spreadText } from "../summary.ts";
import type { Measured } from "./study.ts";

/** Mean and deviation over seeds of one value of a row; undefined where nothing measured it. */
export function spreadOf(measured: readonly Measured[], row: string, value: string): Spread | undefined {
  const found = measured.flatMap((one) => (one.row === row && one.values[value] !== undefined ? [one.values[value]] : []));
  return found.length === 0 ? undefined : spread(found);
}

/** "96.12 ± 0.34 %", or – where nothing was measured. */
export function shareCell(measured: readonly Measured[], row: string, value: string): string {
  const found = spreadOf(measured, row, value);
  return found ? spreadText(found) : "–";
}

/** A count that all seeds share, with thousands apart. */
export function countCell(measured: readonly Measured[], row: string, value: string): string {
  const found = spreadOf(measured, row, value);
  return found ? Math.round(found.mean).toLocaleString("en") : "–";
}
