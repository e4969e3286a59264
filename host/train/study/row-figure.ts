import { percentText } from "../../core/system/table.ts";
import { type Axis, axisOver, bareAxis } from "../../page/axis.ts";
import { legend } from "../../page/figure.ts";
import { type Colour, dot, label, span } from "../../page/marks.ts";
import { type PlotArea, plot } from "../../page/plot.ts";
import type { Measured } from "./study.ts";
import { computeSpread } from "./table-rows.ts";

/** One value of every row. */
interface Series {
  readonly value: string;
  readonly name: string;
  readonly colour: Colour;
  readonly lane: number; // of a row's height, from its middle
}

const series: readonly Series[] = [
  { value: "window", name: "single windows", colour: "s0", lane: 0.08 },
  { value: "stream", name: "streaming", colour: "s1", lane: 0.32 },
];
const ROW_HEIGHT = 40; // user units: the row's name, then its two dots
const NAME_LANE = -0.22;

/** Accuracy by row: a dot per protocol at the mean, with a line of one deviation to either side. */
export function rowFigure(title: string, rows: readonly string[], measured: readonly Measured[]): string {
  const area: PlotArea = { width: 360, height: 52 + rows.length * ROW_HEIGHT, left: 18, right: 22, top: 8, bottom: 44 };
  const points = rows.flatMap((row, i) =>
    series.flatMap(({ value, name, colour, lane }) => {
      const found = computeSpread(measured, row, value);
      return found ? [{ row, name, colour, at: i + lane, mean: found.mean, sd: found.sd ?? 0 }] : [];
    }),
  );
  const x: Axis = axisOver(
    points.flatMap(({ mean, sd }) => [mean - sd, mean + sd]),
    "accuracy on the select wearers, last exit",
    (value) => `${Number((100 * value).toFixed(1))} %`,
  );
  const names = rows.map((row, i) => label([x.low, i + NAME_LANE], row, "start"));
  const marks = points.flatMap(({ row, name, colour, at, mean, sd }) => [
    span([mean - sd, mean + sd], at, colour),
    dot([mean, at], colour, `${row}, ${name}: ${(100 * mean).toFixed(2)} ± ${percentText(sd, 2)}`),
  ]);
  const drawing = plot({ title, x, y: bareAxis(rows.length - 0.5, -0.5), area, marks: [...names, ...marks] });
  return drawing + legend(series.map(({ name, colour }) => [name, colour] as const));
}
