import { sigmoid } from "../../cloud/confirm/confirmation.ts";
import type { LinearConfirmation } from "../../cloud/confirm/linear.ts";
import { cholesky, solve } from "../cholesky.ts";
import type { TreeTable } from "./tree-table.ts";

/** A statistic counts for at most so many standard deviations from its mean. */
const LIMIT = 6;

/**
 * Logistic regression on standardised statistics by Newton's method, with a ridge on all weights but the bias (Hastie et al., ESL, 4.4).
 */
export function trainLogistic({ rows, targets, weights }: TreeTable, ridge: number, rounds = 12): LinearConfirmation {
  const statistics = rows[0]?.length ?? 0;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const means = Float32Array.from({ length: statistics }, (_, f) => rows.reduce((sum, row, i) => sum + weights[i]! * row[f]!, 0) / total);
  const scales = means.map((mean, f) => {
    const variance = rows.reduce((sum, row, i) => sum + weights[i]! * (row[f]! - mean) ** 2, 0) / total;
    return Math.max(1e-6, Math.sqrt(variance));
  });
  const inputs = rows.map((row) => standardise(row, means, scales));
  const size = statistics + 1;
  const solution = new Float64Array(size);
  for (let round = 0; round < rounds; round++) {
    const hessian = new Float64Array(size * size); // the lower half
    const gradient = new Float64Array(size);
    for (let i = 0; i < inputs.length; i++) {
      const x = inputs[i]!;
      let logit = 0;
      for (let f = 0; f < size; f++) logit += x[f]! * solution[f]!;
      const p = sigmoid(logit);
      const error = weights[i]! * (p - targets[i]!);
      const curvature = Math.max(1e-6, weights[i]! * p * (1 - p));
      for (let f = 0; f < size; f++) {
        gradient[f]! += error * x[f]!;
        const scaled = curvature * x[f]!;
        for (let g = 0, at = f * size; g <= f; g++, at++) hessian[at]! += scaled * x[g]!;
      }
    }
    for (let f = 0; f < size; f++) {
      const own = f < statistics ? ridge : 1e-6;
      hessian[f * size + f]! += own;
      gradient[f]! += own * solution[f]!;
    }
    const step = solve(cholesky(hessian, size), gradient);
    for (let f = 0; f < size; f++) solution[f]! -= step[f]!;
  }
  return {
    means,
    scales,
    limit: LIMIT,
    weights: Float32Array.from(solution.subarray(0, statistics)),
    bias: Math.fround(solution[statistics]!),
  };
}

/** (statistics + 1,): the standardised statistics and a 1 for the bias. */
function standardise(row: Float64Array, means: Float32Array, scales: Float32Array): Float64Array {
  const x = new Float64Array(row.length + 1);
  for (let f = 0; f < row.length; f++) x[f] = Math.max(-LIMIT, Math.min(LIMIT, (row[f]! - means[f]!) / scales[f]!));
  x[row.length] = 1;
  return x;
}
