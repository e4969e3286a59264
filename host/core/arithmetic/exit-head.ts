import type { Exit } from "../image/image-types.ts";
import { linearS8, rowsToS16 } from "./linear-s8.ts";
import { rmsNorm } from "./rms-norm.ts";
import { softmax } from "./softmax.ts";

/** What the head of an exit reads: (dModel,) s8, FIXED_NORM_ONE = 1. */
export function exitFeatures(exit: Exit, residual: Int16Array): Int8Array {
  return rmsNorm(residual, exit.epsilon);
}

/** logits (nClasses) s16 Q10 of an exit. */
export function exitLogits(exit: Exit, residual: Int16Array): Int16Array {
  return rowsToS16(linearS8(exitFeatures(exit, residual), exit.head), exit.head);
}

/** Index of the first of the largest scores: logits or smoothed scores. */
export function argmaxLabel(scores: Int16Array | Int32Array): number {
  return scores.indexOf(Math.max(...scores));
}

type Temperatures = Pick<Exit, "temperature" | "smoothedTemperature">;

/** Confidence Q15 of a label: its probability in the softmax of the logits, or of the scores that decisions before make of them. Source: arXiv:1706.04599 §4.2. */
export function computeConfidence(
  { temperature, smoothedTemperature }: Temperatures,
  label: number,
  logits: Int16Array,
  scores?: Int32Array,
): number {
  return (scores ? softmax(scores, smoothedTemperature!) : softmax(logits, temperature)).p[label]!;
}

/** What a threshold is compared with, Q15: the confidence, or the label's probability by its logits alone where that is less. */
export function computeGateProbability(exit: Temperatures, label: number, logits: Int16Array, scores?: Int32Array): number {
  return Math.min(computeConfidence(exit, label, logits, scores), computeConfidence(exit, label, logits));
}
