import { fitLogistic, type Logistic } from "./logistic.ts";

/** What a gate reads of one decision: the last exit's logits at its temperature, (nClasses,). */
export type GateInput = readonly number[];

/** A learned doubt: P(the last exit is right) from its own outputs. */
export interface Gate {
  readonly parameters: number;
  probability(logits: GateInput): number;
}

/**
 * A logistic gate on an exit's outputs: largest probability, its margin over the second, entropy (nats) and the logits themselves.
 * `isRight`: whether the exit's label was the truth. The alternative that it is measured against is the largest probability alone.
 */
export function fitGate(logits: readonly GateInput[], isRight: readonly boolean[]): Gate {
  const fitted: Logistic = fitLogistic(logits.map(gateFeatures), isRight);
  return { parameters: fitted.parameters, probability: (row) => fitted.probability(gateFeatures(row)) };
}

function gateFeatures(logits: GateInput): number[] {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  const probabilities = powers.map((power) => power / sum);
  const [first = 1, second = 0] = [...probabilities].sort((a, b) => b - a);
  const entropy = -probabilities.reduce((total, p) => total + (p > 0 ? p * Math.log(p) : 0), 0);
  return [first, first - second, entropy, ...logits.map((logit) => logit - highest)];
}

/**
 * Area under the ROC curve of `score` for telling right from wrong: the chance that a right decision scores higher than a wrong one,
 * ties half. 0.5 where all are right or all wrong.
 */
export function areaUnderRoc(score: readonly number[], isRight: readonly boolean[]): number {
  const order = score.map((_, i) => i).sort((a, b) => score[a]! - score[b]!);
  let rankSum = 0;
  let right = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && score[order[end]!] === score[order[start]!]) end++;
    const rank = (start + end + 1) / 2; // mean of the ranks start + 1 … end
    for (let i = start; i < end; i++)
      if (isRight[order[i]!]) {
        rankSum += rank;
        right++;
      }
    start = end;
  }
  const wrong = order.length - right;
  return right === 0 || wrong === 0 ? 0.5 : (rankSum - (right * (right + 1)) / 2) / (right * wrong);
}
