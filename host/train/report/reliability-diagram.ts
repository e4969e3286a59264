import type { Reliability } from "../../policy/certify/reliability.ts";
import { axes, coordinate, escapeXml, plotArea, polyline, shareAxis, svg, xOf, yOf } from "./plot.ts";

/** Windows from which a bin's share is worth a look; fewer are drawn hollow. */
const fewWindows = 20;

/**
 * How right against how sure, a bar a bin as dark as it is full, its count of windows above it, and the diagonal of a net that is as
 * right as it says. A bin of few windows is hollow: its height means little.
 */
export function reliabilityDiagram({ bins, ece }: Reliability): string {
  const x = shareAxis("confidence");
  const y = shareAxis("right");
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const foot = yOf(plotArea, y, 0);
  const bars = bins
    .filter(({ count }) => count > 0)
    .map(({ low, high, count, accuracy, confidence }) => {
      const left = xOf(plotArea, x, low) + 0.75;
      const width = xOf(plotArea, x, high) - 0.75 - left;
      const top = yOf(plotArea, y, accuracy);
      const title = `${count} windows ${(100 * confidence).toFixed(1)} % sure, ${(100 * accuracy).toFixed(1)} % right`;
      const isFew = count < fewWindows;
      const text = `<text class="tick small" x="${coordinate(left + width / 2)}" y="${coordinate(Math.max(plotArea.top, top) - 3)}" text-anchor="middle">${countText(count)}</text>`;
      return `<rect class="bar${isFew ? " few" : ""}" x="${coordinate(left)}" y="${coordinate(top)}" width="${coordinate(width)}" height="${coordinate(Math.max(1, foot - top))}" fill-opacity="${isFew ? 0 : coordinate(0.25 + 0.75 * Math.sqrt(count / most))}"><title>${escapeXml(title)}</title></rect>${text}`;
    });
  const diagonal = polyline(
    plotArea,
    x,
    y,
    [
      [0, 0],
      [1, 1],
    ],
    "dash",
  );
  const note = `<text class="name" x="${plotArea.left + 10}" y="${plotArea.top + 14}">ECE ${(100 * ece).toFixed(2)} %</text>`;
  return svg(plotArea, "Reliability diagram", axes(plotArea, x, y) + bars.join("") + diagonal + note);
}

/** At most four characters, as wide as a bar: 812, 1.2k, 34k. */
function countText(count: number): string {
  if (count < 1000) return String(count);
  return count < 9950 ? `${(count / 1000).toFixed(1)}k` : `${Math.round(count / 1000)}k`;
}
