import { type Axis, coordinate, escapeXml, type PlotArea, xOf, yOf } from "../../../train/report/plot.ts";

/** The area that a day's pictures share: as wide as the page. */
export const dayArea: PlotArea = { width: 960, height: 190, left: 56, right: 16, top: 12, bottom: 30 };

/** Colours of parts and labels: the page's style has a light and a dark set. */
export const palette = ["var(--c0)", "var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)", "var(--c7)"] as const;
/** Fills of stretches in which something was missing; the page defines the patterns. */
export const hatch = "url(#hatch)";
export const tint = "var(--tint)";
const swatches: Readonly<Record<string, string>> = {
  [hatch]: "repeating-linear-gradient(45deg, var(--soft) 0 1px, transparent 1px 4px)",
};
/** User units of a segment that is high enough to be set off from the one above it by a gap of one. */
const LEAST_GAPPED = 3;

/** Hours from midnight on. */
export function hourAxis(hours: number): Axis {
  const step = hours > 12 ? 3 : hours > 4 ? 1 : 0.5;
  const ticks = Array.from({ length: Math.floor(hours / step) + 1 }, (_, i) => i * step);
  const text = (hour: number): string =>
    `${String(Math.floor(hour)).padStart(2, "0")}:${String(Math.round((hour % 1) * 60)).padStart(2, "0")}`;
  return { label: "", low: 0, high: hours, ticks, text };
}

/** Hours that have passed. */
export function elapsedAxis(hours: number): Axis {
  const { ticks } = hourAxis(hours);
  return { label: "", low: 0, high: hours, ticks, text: (hour) => `${hour} h` };
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
  isStacked = false,
): string {
  const left = xOf(area, x, x0);
  const full = Math.max(0, yOf(area, y, y0) - yOf(area, y, y1));
  const height = isStacked && full >= LEAST_GAPPED ? full - 1 : full;
  const top = yOf(area, y, y0) - height;
  const width = Math.max(0.2, xOf(area, x, x1) - left);
  if (height === 0) return "";
  const at = `x="${coordinate(left)}" y="${coordinate(top)}" width="${coordinate(width)}" height="${coordinate(height)}" fill="${fill}"`;
  return title === undefined ? `<rect ${at}/>` : `<rect ${at}><title>${escapeXml(title)}</title></rect>`;
}

function swatchOf(colour: string): string {
  return swatches[colour] ?? colour;
}

/** Names beside their colours. */
export function legend(names: readonly string[], colours: readonly string[]): string {
  const items = names.map(
    (name, i) => `<span><i style="background:${swatchOf(colours[i % colours.length]!)}"></i>${escapeXml(name)}</span>`,
  );
  return `<p class="legend">${items.join("")}</p>`;
}
