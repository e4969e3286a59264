import type { Range } from "../../../page/marks.ts";
import type { MinuteRow } from "../../../simulate/results.ts";

const BIN_SECONDS = 900;

/** Rows of a quarter of an hour. */
export interface DayBin {
  readonly range: Range; // hours
  readonly seconds: number;
  readonly first: MinuteRow | undefined; // the row before the bin
  readonly last: MinuteRow;
  readonly all: readonly MinuteRow[];
}

/** Rows in bins of 15 minutes; a remainder shorter than half a bin joins the last one. */
export function binsOf(rows: readonly MinuteRow[]): DayBin[] {
  const end = rows.at(-1)?.atSeconds ?? 0;
  const bins: DayBin[] = [];
  let all: MinuteRow[] = [];
  let first: MinuteRow | undefined;
  for (const [i, row] of rows.entries()) {
    all.push(row);
    const from = first?.atSeconds ?? 0;
    const isWhole = row.atSeconds - from >= BIN_SECONDS && end - row.atSeconds >= BIN_SECONDS / 2;
    if (!isWhole && i + 1 < rows.length) continue;
    bins.push({ range: [from / 3600, row.atSeconds / 3600], seconds: row.atSeconds - from, first, last: row, all });
    first = row;
    all = [];
  }
  return bins;
}
