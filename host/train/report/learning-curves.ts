import type { TrainProgress } from "../run-folder.ts";
import { axes, axisOver, dot, plotArea, polyline, shareAxis, svg } from "./plot.ts";

const stepText = (value: number): string => String(value);
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** Loss against steps, and the learning rate as a share of its peak behind it. */
export function lossCurve(progress: readonly TrainProgress[]): string {
  const x = axisOver(
    progress.map(({ step }) => step),
    "steps",
    stepText,
    0,
  );
  const y = axisOver(
    progress.map(({ loss }) => loss),
    "loss",
    (value) => String(value),
    0,
  );
  const peak = Math.max(...progress.map(({ learningRate }) => learningRate), Number.MIN_VALUE);
  const rate = progress.map(({ step, learningRate }) => [step, (learningRate / peak) * y.high] as const);
  const loss = progress.map(({ step, loss }) => [step, loss] as const);
  return svg(
    plotArea,
    "Loss against steps",
    axes(plotArea, x, y) + polyline(plotArea, x, y, rate, "faint") + polyline(plotArea, x, y, loss, "line a"),
  );
}

/** Share of the held-out windows right against steps. */
export function accuracyCurve(progress: readonly TrainProgress[]): string {
  const seen = progress.flatMap(({ step, accuracy }) => (accuracy === undefined ? [] : [[step, accuracy] as const]));
  const x = axisOver(
    progress.map(({ step }) => step),
    "steps",
    stepText,
    0,
  );
  const y = shareAxis("right", Math.min(...seen.map(([, accuracy]) => accuracy), 0.9));
  const dots = seen.map((point) => dot(plotArea, x, y, point, "dot b", `step ${point[0]}: ${percent(point[1])}`));
  return svg(plotArea, "Held-out accuracy against steps", axes(plotArea, x, y) + polyline(plotArea, x, y, seen, "line b") + dots.join(""));
}
