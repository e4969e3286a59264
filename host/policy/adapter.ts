import { FIXED_NORM_ONE } from "../../assembly/layout.ts";
import { softmax } from "./softmax.ts";

/** How far and how fast an adapter may move. */
export interface AdapterOptions {
  /** Length of a step; 0 learns nothing. */
  readonly rate: number;
  /** Share of what was learned that each step forgets: the pull of an L2 penalty to zero. Default 0.01. */
  readonly decay?: number;
  /** Longest gradient, Frobenius norm over all parameters; longer ones are scaled down. Default 1. */
  readonly clip?: number;
  /** Longest correction, Frobenius norm over all parameters: the adapter is projected back onto it. Default 2. */
  readonly bound?: number;
}

/** What an exit's head made of one decision. */
export interface ExitOutput {
  readonly logits: readonly number[]; // (nClasses,) at the exit's temperature
  readonly features: Int8Array; // (dModel,) that the head reads, FIXED_NORM_ONE = 1: Session.features
}

/** A wearer's own correction of an exit's head. */
export interface Adapter {
  readonly parameters: number; // nClasses·(dModel + 1)
  /** logits + U·features/32 + b, (nClasses,). */
  apply(output: ExitOutput): number[];
  /** Takes one answer of the cloud: its label and confidence, 0…1. Never the truth. */
  learn(output: ExitOutput, answer: { readonly label: number; readonly confidence: number }): void;
  /** Frobenius norm of the correction: 0 until it has learned, at most `bound`. */
  norm(): number;
  /** Back to the identity. */
  reset(): void;
}

/**
 * An adapter that starts as the identity and is taken away without a trace: U (nClasses, dModel) and b (nClasses,) in float64 beside
 * the core, which stays as it is. One answer is one step down the cross-entropy between softmax(apply(output)) and a target that gives
 * the answer's label its confidence and leaves the other classes in their own proportions; the step is clipped, what was learned decays,
 * and the whole is projected onto a ball.
 */
export function createAdapter(nClasses: number, dModel: number, options: AdapterOptions): Adapter {
  const { rate, decay = 0.01, clip = 1, bound = 2 } = options;
  const width = dModel + 1; // a row of U and its bias
  const values = new Float64Array(nClasses * width);
  const inputs = (features: Int8Array): Float64Array => {
    const u = new Float64Array(width).fill(1);
    for (let j = 0; j < dModel; j++) u[j] = features[j]! / FIXED_NORM_ONE;
    return u;
  };
  const apply = ({ logits, features }: ExitOutput): number[] => {
    const u = inputs(features);
    return logits.map((logit, c) => u.reduce((sum, value, j) => sum + values[c * width + j]! * value, logit));
  };
  return {
    parameters: values.length,
    apply,
    learn(output, { label, confidence }) {
      const u = inputs(output.features);
      const p = softmax(apply(output));
      const rest = Math.max(1e-9, 1 - p[label]!);
      const error = p.map((value, c) => value - (c === label ? confidence : ((1 - confidence) * value) / rest));
      const length = Math.hypot(...error) * Math.hypot(...u); // of the gradient error·uᵀ
      const step = rate * Math.min(1, clip / Math.max(1e-12, length));
      for (let c = 0; c < nClasses; c++)
        for (let j = 0; j < width; j++) values[c * width + j] = (1 - decay) * values[c * width + j]! - step * error[c]! * u[j]!;
      const norm = Math.hypot(...values);
      if (norm > bound) for (let i = 0; i < values.length; i++) values[i]! *= bound / norm;
    },
    norm: () => Math.hypot(...values),
    reset: () => void values.fill(0),
  };
}
