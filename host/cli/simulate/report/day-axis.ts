import { type Axis, coordinate, escapeXml, type PlotArea, xOf, yOf } from "../../../train/report/plot.ts";

/** The area that a day's pictures share: as wide as the page. */
export const dayArea: PlotArea = { width: 960, height: 190, left: 56, right: 16, top: 12, bottom: 30 };

/** Colours of parts and labels, told apart in light and dark. */
export const palette = ["#0f766e", "#b45309", "#6d28d9", "#0369a1", "#be185d", "#4d7c0f", "#78716c", "#b91c1c"] as const;

/** Hours from midnight on. */
export function hourAxis(hours: number): Axis {
  const step = hours > 12 ? 3 : hours > 4 ? 1 : 0.5;
  const ticks = Array.from({ length: Math.floor(hours / step) + 1 }, (_, i) => i * step);
  const text = (hour: number): string =>
    `${String(Math.floor(hour)).padStart(2, "0")}:${String(Math.round((hour % 1) * 60)).padStart(2, "0")}`;
  return { label: "", low: 0, high: hours, ticks, text };
}

/** A box between two x and two y values. */
export function box(
  area: PlotArea,
  x: Axis,
  y: Axis,
  [x0, x1]: readonly [number, number],
  [y0, y1]: readonly [number, number],
  fill: string,
  title?: string,
): string {
  const left = xOf(area, x, x0);
  const top = yOf(area, y, y1);
  const width = Math.max(0.2, xOf(area, x, x1) - left);
  const height = Math.max(0, yOf(area, y, y0) - top);
  if (height === 0) return "";
  const at = `x="${coordinate(left)}" y="${coordinate(top)}" width="${coordinate(width)}" height="${coordinate(height)}" fill="${fill}"`;
  return title === undefined ? `<rect ${at}/>` : `<rect ${at}><title>${escapeXml(title)}</title></rect>`;
}

/** Names beside their colours. */
export function legend(names: readonly string[], colours: readonly string[]): string {
  const items = names.map((name, i) => `<span><i style="background:${colours[i % colours.length]}"></i>${escapeXml(name)}</span>`);
  return `<p class="legend">${items.join("")}</p>`;
}
