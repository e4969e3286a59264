import type { HeldOutMetrics } from "../metrics.ts";
import { axes, axisOver, coordinate, dot, plotArea, polyline, shareAxis, svg, xOf, yOf } from "./plot.ts";

const kiloMacs = (macs: number): string =>
  macs === 0 ? "0" : macs >= 1e6 ? `${Number((macs / 1e6).toFixed(2))} M` : `${Math.round(macs / 1000)} k`;

/** Accuracy of a window against its multiply-accumulates: each exit alone, and the first exit that is sure enough. */
export function exitTradeOff({ exits, cascade }: HeldOutMetrics["tradeOff"]): string {
  const x = axisOver(
    exits.map(({ macs }) => macs),
    "multiply-accumulates a window",
    kiloMacs,
    0,
  );
  const y = shareAxis("right", Math.min(...[...exits, ...cascade].map(({ accuracy }) => accuracy)));
  const foot = plotArea.height - plotArea.bottom;
  const dots = exits.map(({ macs, accuracy }, exit) => {
    const title = `exit ${exit + 1}: ${(100 * accuracy).toFixed(1)} % at ${kiloMacs(macs)}`;
    const at = yOf(plotArea, y, accuracy);
    const below = at + 16 < foot ? at + 16 : at - 8; // the axis has its own texts
    const name = `<text class="tick" x="${coordinate(xOf(plotArea, x, macs))}" y="${coordinate(below)}" text-anchor="middle">${exit + 1}</text>`;
    return dot(plotArea, x, y, [macs, accuracy], "dot b", title) + name;
  });
  const line = polyline(
    plotArea,
    x,
    y,
    cascade.map(({ macs, accuracy }) => [macs, accuracy] as const),
    "line a",
  );
  return svg(plotArea, "Accuracy against compute", axes(plotArea, x, y) + line + dots.join(""));
}
