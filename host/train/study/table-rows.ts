import { type Spread, spread, spreadText } from "../../eval/seed-summary.ts";
import type { Measured } from "./study.ts";

/** "96.12 ± 0.34 %", or – where nothing was measured. */
export function shareCell(measured: readonly Measured[], row: string, value: string): string {
  const found = computeSpread(measured, row, value);
  return found ? spreadText(found) : "–";
}

/** A count that all seeds share, with thousands apart. */
export function countCell(measured: readonly Measured[], row: string, value: string): string {
  const found = computeSpread(measured, row, value);
  return found ? Math.round(found.mean).toLocaleString("en") : "–";
}

/** Mean and deviation over seeds of one value of a row; undefined where nothing measured it. */
export function computeSpread(measured: readonly Measured[], row: string, value: string): Spread | undefined {
  const found = measured.flatMap((one) => (one.row === row && one.values[value] !== undefined ? [one.values[value]] : []));
  return found.length === 0 ? undefined : spread(found);
}

/** Which row has the highest streaming mean, and which others are no farther below it than seeds are apart. */
export function rowsConclusion(rows: readonly string[], measured: readonly Measured[]): string {
  const found = rows.flatMap((row) => {
    const stream = computeSpread(measured, row, "stream");
    return stream ? [{ row, ...stream }] : [];
  });
  const [best, ...others] = found.sort((a, b) => b.mean - a.mean);
  if (best === undefined) return "Nothing was measured.";
  const head = `Highest streaming mean: ${best.row}, ${spreadText(best)}.`;
  if (best.sd === null) return `${head} ${oneSeed}`;
  const near = others.filter(({ mean, sd }) => best.mean - mean <= Math.max(best.sd!, sd ?? 0)).map(({ row }) => row);
  if (near.length === 0) return `${head} Every other row is farther below it than a deviation over seeds.`;
  return `${head} Within a deviation over seeds of it, so that another seed may order them otherwise: ${near.join("; ")}.`;
}

/** What a table of one seed cannot say. */
export const oneSeed = "One seed was trained: how far chance moves a row was not measured, so small differences mean nothing.";
