import type { AskingPoint } from "../metrics.ts";
import { axes, plotArea, polyline, shareAxis, svg } from "./plot.ts";

/** Accuracy against the share that is asked, the least sure first: of what is answered here, and of all if the cloud were always right. */
export function askingCurveFigure(points: readonly AskingPoint[]): string {
  const answered = points.filter(({ asked }) => asked < 1);
  const x = shareAxis("asked");
  const y = shareAxis(
    "right",
    Math.min(...points.map(({ accuracyAtBest }) => accuracyAtBest), ...answered.map(({ answeredAccuracy }) => answeredAccuracy)),
  );
  const best = polyline(
    plotArea,
    x,
    y,
    points.map(({ asked, accuracyAtBest }) => [asked, accuracyAtBest] as const),
    "dash",
  );
  const own = polyline(
    plotArea,
    x,
    y,
    answered.map(({ asked, answeredAccuracy }) => [asked, answeredAccuracy] as const),
    "line a",
  );
  return svg(plotArea, "Accuracy against the share asked", axes(plotArea, x, y) + best + own);
}
