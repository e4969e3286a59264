/** A figure's plotting area in SVG user units; text is 11 units high. */
export interface PlotArea {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly text: (value: number) => string;
}

/** The area that the curves share: margins for an axis to the left and one below. */
export const plotArea: PlotArea = { width: 360, height: 240, left: 46, right: 22, top: 12, bottom: 40 };

/** Text as XML. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A coordinate for SVG: two decimals, no trailing zeros. */
export function coordinate(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** Position of a value: linear, values outside the axis pinned to its ends. */
export function xOf(area: PlotArea, axis: Axis, value: number): number {
  return area.left + share(axis, value) * (area.width - area.left - area.right);
}

export function yOf(area: PlotArea, axis: Axis, value: number): number {
  return area.height - area.bottom - share(axis, value) * (area.height - area.top - area.bottom);
}

function share({ low, high }: Axis, value: number): number {
  return Math.max(0, Math.min(1, (value - low) / (high - low)));
}

/** About `count` round numbers (1, 2 or 5 times a power of ten apart) that cover low…high, their ends included. */
export function roundTicks(low: number, high: number, count = 5): number[] {
  const span = high > low ? high - low : Math.max(1e-9, Math.abs(low));
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw * 0.999) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil((low + span) / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** An axis over the values, with round ends. */
export function axisOver(values: readonly number[], label: string, text: (value: number) => string, least?: number): Axis {
  const low = values.reduce((a, b) => Math.min(a, b), least ?? Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const ticks = roundTicks(Number.isFinite(low) ? low : 0, values.length === 0 ? 1 : high);
  return { label, text, ticks, low: ticks[0]!, high: ticks.at(-1)! };
}

/** An axis of shares 0…1 in per cent; with `low` it begins at the ten per cent below that. */
export function shareAxis(label: string, low = 0): Axis {
  const from = Math.max(0, Math.min(0.9, Math.floor(low * 10) / 10));
  return { label, low: from, high: 1, ticks: roundTicks(from, 1), text: (value) => `${Number((100 * value).toFixed(1))} %` };
}

/** Grid lines, tick texts and axis names: that of y stands upright at the left edge. */
export function axes(area: PlotArea, x: Axis, y: Axis): string {
  const [right, foot] = [area.width - area.right, area.height - area.bottom];
  const rows = y.ticks.map((tick) => {
    const at = coordinate(yOf(area, y, tick));
    return `<line class="grid" x1="${area.left}" x2="${right}" y1="${at}" y2="${at}"/><text class="tick" x="${area.left - 6}" y="${at}" dy="0.35em" text-anchor="end">${escapeXml(y.text(tick))}</text>`;
  });
  const columns = x.ticks.map((tick) => {
    const at = coordinate(xOf(area, x, tick));
    return `<line class="grid" x1="${at}" x2="${at}" y1="${foot}" y2="${foot + 4}"/><text class="tick" x="${at}" y="${foot + 16}" text-anchor="middle">${escapeXml(x.text(tick))}</text>`;
  });
  const names = `<text class="name" x="${(area.left + right) / 2}" y="${area.height - 6}" text-anchor="middle">${escapeXml(x.label)}</text>`;
  const middle = coordinate((area.top + foot) / 2);
  const upright =
    y.label === ""
      ? ""
      : `<text class="name" transform="translate(9 ${middle}) rotate(-90)" text-anchor="middle">${escapeXml(y.label)}</text>`;
  return [...rows, ...columns, names, upright].join("");
}

/** A line through points (x, y) of the axes. */
export function polyline(area: PlotArea, x: Axis, y: Axis, points: readonly (readonly [number, number])[], className: string): string {
  const at = points.map(([px, py]) => `${coordinate(xOf(area, x, px))},${coordinate(yOf(area, y, py))}`);
  return at.length === 0 ? "" : `<polyline class="${className}" points="${at.join(" ")}"/>`;
}

/** A dot, with what it stands for on hovering. */
export function dot(area: PlotArea, x: Axis, y: Axis, [px, py]: readonly [number, number], className: string, title: string): string {
  return `<circle class="${className}" cx="${coordinate(xOf(area, x, px))}" cy="${coordinate(yOf(area, y, py))}" r="3.5"><title>${escapeXml(title)}</title></circle>`;
}

/** The SVG element; `title` is its name for those who do not see it. */
export function svg(area: Pick<PlotArea, "width" | "height">, title: string, body: string): string {
  return `<svg viewBox="0 0 ${area.width} ${area.height}" role="img" aria-label="${escapeXml(title)}">${body}</svg>`;
}
