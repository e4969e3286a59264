import type { Axis } from "./axis.ts";
import { coordinate, escapeXml } from "./markup.ts";

/** A drawing's size and the margins around its axes, in SVG user units. */
export interface PlotArea {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Half a page wide on a desktop, a whole window on a phone. */
export const halfArea: PlotArea = { width: 360, height: 210, left: 50, right: 18, top: 14, bottom: 38 };
/** Half a page wide, over a time axis, which has no name. */
export const timeArea: PlotArea = { ...halfArea, height: 190, bottom: 24 };
/** As wide as the page. The style sheet enlarges its text on a phone. */
export const wideArea: PlotArea = { width: 720, height: 120, left: 76, right: 36, top: 8, bottom: 28 };

/** Where a value of each axis lies. Values outside an axis are pinned to its ends. */
export interface Scale {
  readonly area: PlotArea;
  readonly xAxis: Axis;
  readonly yAxis: Axis;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** What draws itself on the axes, as SVG: marks.ts has the kinds. */
export type Mark = (at: Scale) => string;

export interface Plot {
  readonly title: string; // the accessible name
  readonly x: Axis;
  readonly y: Axis;
  readonly area?: PlotArea;
  readonly behind?: readonly Mark[]; // drawn below the grid
  readonly marks: readonly Mark[];
}

/** One SVG plot: axes and marks. */
export function plot({ title, x, y, area = halfArea, behind = [], marks }: Plot): string {
  const at = scale(area, x, y);
  return svg(area, title, [...behind.map((mark) => mark(at)), axes(at), ...marks.map((mark) => mark(at))].join(""));
}

/** The positions of two axes in an area; y points upwards. */
export function scale(area: PlotArea, xAxis: Axis, yAxis: Axis): Scale {
  const { width, height, left, right, top, bottom } = area;
  const x = (value: number): number => left + share(xAxis, value) * (width - left - right);
  const y = (value: number): number => height - bottom - share(yAxis, value) * (height - top - bottom);
  return { area, xAxis, yAxis, x, y };
}

function share({ low, high }: Axis, value: number): number {
  return Math.max(0, Math.min(1, (value - low) / (high - low)));
}

/** Grid lines, tick texts and axis names; the name of y stands upright at the left edge. */
function axes({ area, xAxis, yAxis, x, y }: Scale): string {
  const [right, foot] = [area.width - area.right, area.height - area.bottom];
  const rows = yAxis.ticks.map((tick) => {
    const at = coordinate(y(tick));
    return `<line class="grid" x1="${area.left}" x2="${right}" y1="${at}" y2="${at}"/><text class="tick" x="${area.left - 6}" y="${at}" dy="0.35em" text-anchor="end">${escapeXml(yAxis.text(tick))}</text>`;
  });
  const columns = xAxis.ticks.map((tick) => {
    const at = coordinate(x(tick));
    return `<line class="grid" x1="${at}" x2="${at}" y1="${foot}" y2="${foot + 4}"/><text class="tick" x="${at}" y="${foot + 5}" dy="0.9em" text-anchor="middle">${escapeXml(xAxis.text(tick))}</text>`;
  });
  const middle = (area.left + right) / 2;
  const name = xAxis.label === "" ? "" : text(middle, area.height - 6, xAxis.label, "middle", "name");
  const upright = `<text class="name" transform="translate(9 ${coordinate((area.top + foot) / 2)}) rotate(-90)" text-anchor="middle">${escapeXml(yAxis.label)}</text>`;
  return [...rows, ...columns, name, yAxis.label === "" ? "" : upright].join("");
}

/** A text at a point of the drawing. */
export function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end", className = "tick"): string {
  return `<text class="${className}" x="${coordinate(x)}" y="${coordinate(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

/** The SVG element; a screen reader announces `title`. */
export function svg(area: Pick<PlotArea, "width" | "height">, title: string, body: string): string {
  const className = area.width >= wideArea.width ? "plot wide" : "plot";
  return `<svg class="${className}" viewBox="0 0 ${area.width} ${area.height}" role="img" aria-label="${escapeXml(title)}">${body}</svg>`;
}
