import { percentText } from "../../core/system/table.ts";
import { axisOver, shareAxis, shortCountText, siText } from "../../page/axis.ts";
import { unlessFlat } from "../../page/figure.ts";
import { bar, dot, label, line } from "../../page/marks.ts";
import { halfArea, type Mark, plot, text } from "../../page/plot.ts";
import type { Reliability } from "../../policy/certify/reliability.ts";
import type { AskingPoint, HeldOutMetrics } from "../metrics.ts";
import type { TrainProgress } from "../run-folder.ts";

/** Loss against steps; the learning rate, as a share of its peak, is the pale line. */
export function lossCurve(progress: readonly TrainProgress[]): string {
  const losses = progress.map(({ loss }) => loss);
  const x = stepAxis(progress);
  const y = axisOver(losses, "loss", String, 0);
  const peak = Math.max(...progress.map(({ learningRate }) => learningRate), Number.MIN_VALUE);
  const rate = progress.map(({ step, learningRate }) => [step, (learningRate / peak) * y.high] as const);
  const loss = progress.map(({ step, loss: value }) => [step, value] as const);
  return unlessFlat(
    losses,
    () => plot({ title: "Loss against steps", x, y, marks: [line(rate, "soft", "pale"), line(loss, "s0")] }),
    (value) => `Constant at ${value}.`,
  );
}

/** Accuracy on held-out windows against steps. */
export function accuracyCurve(progress: readonly TrainProgress[]): string {
  const seen = progress.flatMap(({ step, accuracy }) => (accuracy === undefined ? [] : [[step, accuracy] as const]));
  const shares = seen.map(([, accuracy]) => accuracy);
  const dots = seen.map((point) => dot(point, "s1", `step ${point[0]}: ${percentText(point[1], 1)}`));
  const y = shareAxis("accuracy", Math.min(...shares, 0.9));
  return unlessFlat(
    shares,
    () => plot({ title: "Held-out accuracy against steps", x: stepAxis(progress), y, marks: [line(seen, "s1"), ...dots] }),
    (value) => `${percentText(value, 1)} at step ${seen.map(([step]) => step).join(", ")}.`,
  );
}

function stepAxis(progress: readonly TrainProgress[]) {
  return axisOver(
    progress.map(({ step }) => step),
    "steps",
    String,
    0,
  );
}

/** Bins with fewer windows are drawn hollow: their height is mostly chance. */
const FEW_WINDOWS = 20;

/** Accuracy against confidence: one bar per bin, darker with more windows, its count above it. A calibrated net follows the diagonal. */
export function reliabilityDiagram({ bins, ece }: Reliability): string {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const bars = bins.filter(({ count }) => count > 0).flatMap((bin) => barOf(bin, most));
  const diagonal = line(
    [
      [0, 0],
      [1, 1],
    ],
    "soft",
    "dash",
  );
  const note: Mark = ({ area }) => text(area.left + 10, area.top + 14, `ECE ${percentText(ece, 2)}`, "start", "name");
  return plot({
    title: "Reliability diagram",
    x: shareAxis("confidence"),
    y: shareAxis("accuracy"),
    marks: [...bars, diagonal, note],
  });
}

function barOf({ low, high, count, accuracy, confidence }: Reliability["bins"][number], most: number): Mark[] {
  const opacity = count < FEW_WINDOWS ? 0 : 0.25 + 0.75 * Math.sqrt(count / most);
  const title = `${count} windows: confidence ${percentText(confidence, 1)}, accuracy ${percentText(accuracy, 1)}`;
  const name = label([(low + high) / 2, accuracy], shortCountText(count), "middle", [0, -3], "small");
  return [bar([low, high], accuracy, "s0", title, opacity), name];
}

/** Accuracy of a window against its multiply-accumulates: each exit alone, and the cascade over thresholds. */
export function exitTradeOff({ exits, cascade }: HeldOutMetrics["tradeOff"]): string {
  const macs = exits.map((exit) => exit.macs);
  const x = axisOver(macs, "multiply-accumulates per window", siText, 0);
  const y = shareAxis("accuracy", Math.min(...[...exits, ...cascade].map(({ accuracy }) => accuracy)));
  const foot = halfArea.height - halfArea.bottom;
  const dots = exits.flatMap((exit, k) => {
    const point = [exit.macs, exit.accuracy] as const;
    const name: Mark = (at) => label(point, String(k + 1), "middle", [0, at.y(exit.accuracy) + 16 < foot ? 16 : -8])(at); // clear of the axis
    return [dot(point, "s1", `exit ${k + 1}: ${percentText(exit.accuracy, 1)} at ${siText(exit.macs)}`), name];
  });
  const curve = line(
    cascade.map((one) => [one.macs, one.accuracy] as const),
    "s0",
  );
  return unlessFlat(
    macs,
    () => plot({ title: "Accuracy against compute", x, y, marks: [curve, ...dots] }),
    (value) => `One exit: ${percentText(exits[0]?.accuracy ?? 0, 1)} at ${siText(value)} multiply-accumulates per window.`,
  );
}

/** Accuracy against the share of decisions asked, least confident first: of the decisions kept here, and of all if the cloud were always right. */
export function askingCurveFigure(points: readonly AskingPoint[]): string {
  const kept = points.filter(({ asked }) => asked < 1);
  const bestShares = points.map(({ accuracyAtBest }) => accuracyAtBest);
  const keptShares = kept.map(({ answeredAccuracy }) => answeredAccuracy);
  const best = line(
    points.map(({ asked, accuracyAtBest }) => [asked, accuracyAtBest] as const),
    "soft",
    "dash",
  );
  const own = line(
    kept.map(({ asked, answeredAccuracy }) => [asked, answeredAccuracy] as const),
    "s0",
  );
  const y = shareAxis("accuracy", Math.min(...bestShares, ...keptShares));
  return unlessFlat(
    [...bestShares, ...keptShares],
    () => plot({ title: "Accuracy against the share asked", x: shareAxis("asked"), y, marks: [best, own] }),
    (value) => `${percentText(value, 1)} at every share.`,
  );
}
