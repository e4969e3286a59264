import { LIMIT_LDA_SHIFT } from "../../assembly/layout.ts";
import { clampS16 } from "../core/arithmetic/fixed-point.ts";
import type { Lda } from "../core/image/image-types.ts";
import { LOGIT_ONE } from "../policy/certify/replay.ts";

const S16_MAX = 32767;
const S32_MAX = 2 ** 31 - 1;

/** Linear functions of a window's statistics, one a class, in logits Q10. */
export interface LogitFunctions {
  readonly slopes: Float64Array; // (statistics, nClasses), a unit of a statistic
  readonly levels: Float64Array; // (nClasses,)
}

/**
 * Linear functions of standardised statistics, `weights` (nClasses, statistics) and `bias` (nClasses,), as `share` of a logit: about their
 * mean over the classes, which changes no softmax.
 */
export function asLogits(weights: Float64Array, bias: Float64Array, deviations: Float64Array, share: number): LogitFunctions {
  const size = deviations.length;
  const nClasses = bias.length;
  const slopes = new Float64Array(size * nClasses);
  for (let f = 0; f < size; f++) {
    const own = Float64Array.from(bias, (_, c) => weights[c * size + f]!);
    const middle = meanOf(own);
    for (let c = 0; c < nClasses; c++) slopes[f * nClasses + c] = ((own[c]! - middle) * share * LOGIT_ONE) / deviations[f]!;
  }
  const middle = meanOf(bias);
  return { slopes, levels: bias.map((value) => (value - middle) * share * LOGIT_ONE) };
}

/**
 * Weights (statistics, nClasses), bias and shift of such functions, as fine as s16 and s32 hold them and no finer than `mostShift`; a
 * weight that s16 cannot hold at all is the largest that it can.
 */
export function fixedPoint(
  { slopes, levels }: LogitFunctions,
  mostShift: number = LIMIT_LDA_SHIFT,
): Pick<Lda, "weights" | "bias" | "shift"> {
  const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const room = Math.min(S16_MAX / largest(slopes), S32_MAX / largest(levels));
  const shift = Math.max(0, Math.min(mostShift, Math.floor(Math.log2(room))));
  return {
    weights: Int16Array.from(slopes, (value) => clampS16(Math.round(value * 2 ** shift))),
    bias: Int32Array.from(levels, (value) => Math.round(value * 2 ** shift)),
    shift,
  };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
