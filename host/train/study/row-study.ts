import { ConfigError } from "../../core/system/errors.ts";
import { rowFigure } from "./row-figure.ts";
import type { Measured, StudyTable } from "./study.ts";
import { rowsConclusion } from "./table-rows.ts";

/** One part per row and seed, by the part's name: "no-rotation.seed-1". */
export function rowParts<Row extends string>(
  rows: readonly Row[],
  seeds: readonly number[],
): ReadonlyMap<string, { readonly row: Row; readonly seed: number }> {
  const nameOf = (row: string): string => row.replaceAll(/[^a-z0-9.]+/g, "-");
  return new Map(seeds.flatMap((seed) => rows.map((row) => [`${nameOf(row)}.seed-${seed}`, { row, seed }] as const)));
}

export function unknownPart(study: string, part: string): ConfigError {
  return new ConfigError("STUDY_PART", `the ${study} study has no part "${part}".`);
}

/** A table and a figure with one line per row; `cells` by the column's heading. */
export function rowTable<Row extends string>(
  rows: readonly Row[],
  measured: readonly Measured[],
  { firstColumn, cells, ...rest }: RowTable<Row>,
): StudyTable {
  return {
    conclusion: rowsConclusion(rows, measured),
    columns: [firstColumn, ...Object.keys(cells)],
    rows: rows.map((row) => [row, ...Object.values(cells).map((cell) => cell(row))]),
    notes: rest.notes,
    figure: {
      title: rest.figureTitle,
      caption: "Dots: mean over seeds at the last exit. Lines: one deviation to either side.",
      svg: rowFigure(rest.figureTitle, rows, measured),
    },
  };
}

interface RowTable<Row> {
  readonly firstColumn: string;
  readonly cells: Readonly<Record<string, (row: Row) => string>>;
  readonly notes: readonly string[];
  readonly figureTitle: string;
}
