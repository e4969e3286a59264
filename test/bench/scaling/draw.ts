import type { Axis } from "../../../host/page/axis.ts";
import { axisOver, siText } from "../../../host/page/axis.ts";
import { dot, label, line, type Point, seriesColour } from "../../../host/page/marks.ts";
import { escapeXml } from "../../../host/page/markup.ts";
import { halfArea, type Mark, type PlotArea, plot, text, wideArea } from "../../../host/page/plot.ts";
import { drawingStyle } from "../../../host/page/style.ts";
import type { Roofline, RooflinePoint } from "./roofline.ts";
import type { ScalingPanel } from "./scaling.ts";

const COLUMNS = 2;
const TITLE_HEIGHT = 26;
const rooflineArea: PlotArea = { ...wideArea, height: 430, left: 60, right: 24, top: 14, bottom: 40 };

/** The panels side by side as one SVG file. */
export function scalingPicture(panels: readonly ScalingPanel[]): string {
  const [width, height] = [halfArea.width, halfArea.height + TITLE_HEIGHT];
  const cells = panels.map((panel, i) => {
    const [left, top] = [(i % COLUMNS) * width, Math.floor(i / COLUMNS) * height];
    const drawn = panelPlot(panel).replace(
      "<svg ",
      `<svg x="${left}" y="${top + TITLE_HEIGHT}" width="${width}" height="${halfArea.height}" `,
    );
    return text(left + halfArea.left, top + 18, panel.title, "start", "title") + drawn;
  });
  return svgFile(
    COLUMNS * width,
    Math.ceil(panels.length / COLUMNS) * height,
    "What a step, a window or a gateway costs as one size grows",
    cells,
  );
}

/** Kernels under the machine's roofs, both axes logarithmic, as one SVG file. */
export function rooflinePicture({ bandwidths, peaks, points }: Roofline): string {
  const rates = [...peaks, ...points].map(({ macsPerSecond }) => macsPerSecond);
  const intensities = points.map(({ macsPerByte }) => macsPerByte);
  const x = logAxis("multiply-accumulates per byte moved", 0.5 * Math.min(...intensities), 4 * Math.max(...intensities), String, 2);
  const y = logAxis("multiply-accumulates per second", 0.5 * Math.min(...rates), 1.5 * Math.max(...rates), rateText, 10);
  const top = Math.max(...peaks.map(({ macsPerSecond }) => macsPerSecond));
  const roofs = bandwidths.flatMap(({ name, bytesPerSecond }): Mark[] => {
    const knee = Math.log10(top / bytesPerSecond);
    const from = Math.max(x.low, y.low - Math.log10(bytesPerSecond));
    const to = Math.min(knee, x.high);
    const at: Point = [from, from + Math.log10(bytesPerSecond)];
    return [
      line([at, [to, to + Math.log10(bytesPerSecond)]], "soft", "dash"),
      label(at, `${name}: ${rateText(bytesPerSecond)}B/s`, "start", [10, 12], "small"),
    ];
  });
  const ceilings = peaks.flatMap(({ name, macsPerSecond }, i): Mark[] => {
    const level = Math.log10(macsPerSecond);
    return [
      line([[x.low, level] as const, [x.high, level] as const], seriesColour(i), "dash"),
      label([x.high, level], `${name}: ${rateText(macsPerSecond)}/s`, "end", [-4, -5]),
    ];
  });
  const marks = points.flatMap((point) => [
    dot(at(point), point.build === "simd" ? "s0" : "s1", `${point.name}, ${point.build}: ${rateText(point.macsPerSecond)}/s`),
    ...(point.build === "simd" ? [label(at(point), point.name, "start", [6, 3], "small")] : []),
  ]);
  const drawn = plot({
    title: "Kernels under the machine's roofs",
    x,
    y,
    area: rooflineArea,
    behind: roofs,
    marks: [...ceilings, ...marks],
  });
  const sized = drawn.replace("<svg ", `<svg width="${rooflineArea.width}" height="${rooflineArea.height}" `);
  return svgFile(rooflineArea.width, rooflineArea.height, "Kernels under the machine's roofs", [sized]);
}

const at = ({ macsPerByte, macsPerSecond }: RooflinePoint): Point => [Math.log10(macsPerByte), Math.log10(macsPerSecond)];

function panelPlot({ title, x, unit, logarithmic, lines }: ScalingPanel): string {
  const all = lines.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(([size]) => size))];
  const ys = all.map(([, cost]) => cost);
  const [placeX, placeY] = [logarithmic === "none" ? Number : Math.log10, logarithmic === "both" ? Math.log10 : Number];
  const xAxis = logarithmic === "none" ? axisOver(xs, x, String, 0) : logAxis(x, Math.min(...xs), Math.max(...xs), siSize, 2, xs);
  const yAxis =
    logarithmic === "both"
      ? logAxis(unit, 10 ** Math.floor(Math.log10(Math.min(...ys))), 1.2 * Math.max(...ys), String, 10)
      : axisOver(ys, unit, String, 0);
  const marks = lines.flatMap(({ name, points }, i): Mark[] => {
    const placed = points.map(([size, cost]): Point => [placeX(size), placeY(cost)]);
    const named = lines.length > 1 ? [label(placed.at(-1)!, name, "end", [-6, -7])] : [];
    const titled = points.map(([size, cost], p) => dot(placed[p]!, seriesColour(i), `${name}, ${size}: ${cost.toFixed(1)} ${unit}`));
    return [line(placed, seriesColour(i)), ...titled, ...named];
  });
  return plot({ title, x: xAxis, y: yAxis, marks });
}

/** A logarithmic axis: positions are powers of ten, ticks the powers of `base` between the ends or the given values, at most nine. */
function logAxis(
  name: string,
  low: number,
  high: number,
  shown: (value: number) => string,
  base: number,
  values?: readonly number[],
): Axis {
  const first = Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
  const last = Math.floor(Math.log(high) / Math.log(base) + 1e-9);
  const all = values ?? Array.from({ length: last - first + 1 }, (_, i) => base ** (first + i));
  const step = Math.ceil(all.length / 9);
  return {
    ...{ label: name, low: Math.log10(low), high: Math.log10(high) },
    ticks: all.filter((_, i) => i % step === 0).map(Math.log10),
    text: (power) => shown(Number((10 ** power).toPrecision(6))),
  };
}

const siSize = (value: number): string => (value < 1024 ? String(value) : `${value / 1024} Ki`);

function rateText(value: number): string {
  return value >= 1e9 ? `${Number((value / 1e9).toPrecision(3))} G` : siText(value);
}

/** A drawing that stands alone: its own style and ground, light and dark as the reader has it. */
function svgFile(width: number, height: number, title: string, parts: readonly string[]): string {
  const style = `${drawingStyle}svg .title { font-size: 13px; font-weight: 600; }`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}"><style>${style}</style><rect width="100%" height="100%" fill="var(--card)"/>${parts.join("")}</svg>\n`;
}
