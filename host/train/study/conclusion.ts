import { spreadText } from "../summary.ts";
import type { Measured } from "./study.ts";
import { spreadOf } from "./table-rows.ts";

/** Which row has the highest streaming mean, and which others are no farther below it than seeds are apart. */
export function rowsConclusion(rows: readonly string[], measured: readonly Measured[]): string {
  const found = rows.flatMap((row) => {
    const stream = spreadOf(measured, row, "stream");
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
