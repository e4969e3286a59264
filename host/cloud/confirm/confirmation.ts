import { type Forest, sumOfLeaves } from "./forest.ts";
import { type LinearConfirmation, linearLogit } from "./linear.ts";
import type { MotionScale } from "./motion.ts";

/** What answers a suspicion from the statistics of its context: the mean of three models, and the linear one of them alone. */
export interface Confirmation {
  readonly name: string;
  readonly labels: readonly string[];
  readonly label: number; // class that is confirmed
  readonly patchFrames: number;
  readonly afterFrames: number; // from the suspicion to the end of the context
  readonly scale: MotionScale;
  readonly boosting: Forest; // its leaves sum up to a logit
  readonly extraTrees: Forest; // its leaves sum up to a probability
  readonly linear: LinearConfirmation;
  /** Logit of the mean probability, and of the linear one, from which on a suspicion is confirmed. */
  readonly operatingPoint: { readonly mean: number; readonly linear: number };
  /** Who it learned from, by data set; and who chose the operating point. */
  readonly protocol: Readonly<Record<string, readonly string[]>>;
}

/** "mean": of all three models; "linear": the logistic regression alone. */
export type ConfirmationPart = "mean" | "linear";

/** Logit of the label before the operating point is taken off. */
export function confirmationLogit(confirmation: Confirmation, statistics: Float64Array, part: ConfirmationPart): number {
  const linear = linearLogit(confirmation.linear, statistics);
  if (part === "linear") return linear;
  const boosted = sigmoid(sumOfLeaves(confirmation.boosting, statistics));
  return logit((boosted + sumOfLeaves(confirmation.extraTrees, statistics) + sigmoid(linear)) / 3);
}

/** Probability of the label, moved so that one half is the operating point. */
export function confirmationProbability(confirmation: Confirmation, statistics: Float64Array, part: ConfirmationPart): number {
  return sigmoid(confirmationLogit(confirmation, statistics, part) - confirmation.operatingPoint[part]);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

const LEAST = 1e-9;

function logit(probability: number): number {
  const p = Math.max(LEAST, Math.min(1 - LEAST, probability));
  return Math.log(p / (1 - p));
}
