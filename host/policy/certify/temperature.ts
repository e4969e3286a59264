import { toFixedScale } from "../../core/arithmetic/fixed-point.ts";
import type { FixedScale } from "../../core/image/image-types.ts";
import type { LabelledLogits } from "./exit-decisions.ts";

const coldest = 0.2;
const hottest = 5;

/** The scale that the core applies at a temperature: Q10 logits to a Q16 exponent of 2. */
export function temperatureScale(temperature: number): FixedScale {
  return toFixedScale((64 * Math.LOG2E) / temperature);
}

/**
 * The temperature that an image's exit was calibrated with (`calibration` in its manifest), read from the scale that the core applies.
 * So it is there in any image, and is the device's to 2^−30.
 */
export function computeTemperature({ multiplier, shift }: FixedScale): number {
  return (64 * Math.LOG2E) / (multiplier * 2 ** (shift - 31));
}

/**
 * The temperature in 0.2…5 with the least mean negative log likelihood at one exit, groups weighing the same; golden-section search.
 * Source: Guo et al., "On Calibration of Modern Neural Networks", arXiv 1706.04599 §4.2.
 */
export function fitTemperature(groups: readonly LabelledLogits[], exit: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = Math.log(coldest);
  let high = Math.log(hottest);
  const cost = (logTemperature: number): number =>
    groups.reduce((sum, group) => sum + negativeLogLikelihood(group, exit, Math.exp(logTemperature)), 0);
  let left = high - ratio * (high - low);
  let right = low + ratio * (high - low);
  let costLeft = cost(left);
  let costRight = cost(right);
  for (let i = 0; i < 30; i++) {
    if (costLeft < costRight) {
      high = right;
      right = left;
      costRight = costLeft;
      left = high - ratio * (high - low);
      costLeft = cost(left);
    } else {
      low = left;
      left = right;
      costLeft = costRight;
      right = low + ratio * (high - low);
      costRight = cost(right);
    }
  }
  return Math.exp((low + high) / 2);
}

function negativeLogLikelihood(group: LabelledLogits, exit: number, temperature: number): number {
  const n = group.labels.length;
  const logits = group.logits[exit]!;
  const classes = logits.length / n;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const top = Math.max(...row);
    let sum = 0;
    for (const value of row) sum += Math.exp((value - top) / temperature);
    total += Math.log(sum) - (row[group.labels[i]!]! - top) / temperature;
  }
  return total / n;
}
