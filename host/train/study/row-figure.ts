import { type Axis, axes, axisOver, coordinate, dot, type PlotArea, svg, xOf, yOf } from "../report/plot.ts";
import type { Measured } from "./study.ts";
import { spreadOf } from "./table-rows.ts";

/** One value of every row: teal or amber dots. */
interface Series {
  readonly value: string;
  readonly name: string;
  readonly className: "a" | "b";
}

const series: readonly Series[] = [
  { value: "window", name: "windows", className: "a" },
  { value: "stream", name: "stream", className: "b" },
];
const rowHeight = 30;
const apart = 0.14; // of a row: the two dots beside each other

/** Accuracy by row, a dot a protocol at the mean with a line of one deviation to either side. */
export function rowFigure(title: string, rows: readonly string[], measured: readonly Measured[]): string {
  const area: PlotArea = { width: 640, height: 66 + rows.length * rowHeight, left: 250, right: 24, top: 24, bottom: 42 };
  const y: Axis = { label: "", low: rows.length - 0.5, high: -0.5, ticks: rows.map((_, i) => i), text: (i) => rows[i]! };
  const points = rows.flatMap((row, i) =>
    series.flatMap((one, s) => {
      const found = spreadOf(measured, row, one.value);
      return found ? [{ row, one, at: i + (s === 0 ? -apart : apart), mean: found.mean, sd: found.sd ?? 0 }] : [];
    }),
  );
  const x = axisOver(
    points.flatMap(({ mean, sd }) => [mean - sd, mean + sd]),
    "accuracy on the select wearers, last exit",
    (value) => `${Number((100 * value).toFixed(1))} %`,
  );
  const marks = points.map(({ row, one, at, mean, sd }) => {
    const line = `<line class="span ${one.className}" x1="${coordinate(xOf(area, x, mean - sd))}" x2="${coordinate(xOf(area, x, mean + sd))}" y1="${coordinate(yOf(area, y, at))}" y2="${coordinate(yOf(area, y, at))}"/>`;
    const text = `${row}, ${one.name}: ${(100 * mean).toFixed(2)} ± ${(100 * sd).toFixed(2)} %`;
    return line + dot(area, x, y, [mean, at], `dot ${one.className}`, text);
  });
  const legend = series.map(
    ({ name, className }, i) =>
      `<circle class="dot ${className}" cx="${area.left + 6 + i * 90}" cy="12" r="3.5"/><text class="tick" x="${area.left + 14 + i * 90}" y="12" dy="0.35em">${name}</text>`,
  );
  return svg(area, title, axes(area, x, y) + marks.join("") + legend.join(""));
}
