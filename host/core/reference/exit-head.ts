import type { Exit } from "../image-types.ts";
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

/** Index of the first of the largest logits. */
export function labelOf(logits: Int16Array): number {
  return logits.indexOf(Math.max(...logits));
}

/** Q15 probability of the label after temperature scaling. Source: arXiv:1706.04599 §4.2. */
export function confidenceOf(exit: Exit, logits: Int16Array): number {
  const { reciprocal } = softmax(logits, exit.temperature);
  return (32768 * reciprocal + 32768) >>> 16; // the largest has e = 32768; the sum may reach 2^31
}
