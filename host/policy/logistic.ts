/** A fitted logistic regression over standardised features. */
export interface Logistic {
  readonly parameters: number; // weights and bias
  /** P(target = 1) of one row of features. */
  probability(row: readonly number[]): number;
}

const iterations = 400;

/**
 * Logistic regression with a ridge of `ridge` on the standardised weights (the bias is free): few rows cannot blow up a weight.
 * `rows` (n, nFeatures); a feature that never varies gets weight 0. Deterministic; each step takes the upper bound ¼·XᵀX for the
 * Hessian, so the loss never rises. Source: Böhning and Lindsay, Annals of the Institute of Statistical Mathematics 40 (1988).
 */
export function fitLogistic(rows: readonly (readonly number[])[], targets: readonly boolean[], ridge = 1): Logistic {
  const nFeatures = rows[0]?.length ?? 0;
  const n = Math.max(1, rows.length);
  const means = Array.from({ length: nFeatures }, (_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / n);
  const deviations = means.map((mean, j) => Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0) / n) || 1);
  const standard = (row: readonly number[]): number[] => [1, ...row.map((value, j) => (value - means[j]!) / deviations[j]!)];
  const inputs = rows.map(standard);
  const size = nFeatures + 1;
  const bound = Array.from({ length: size }, (_, i) =>
    Array.from(
      { length: size },
      (_, j) => inputs.reduce((sum, x) => sum + (x[i]! * x[j]!) / 4, 0) + (i === j ? (i === 0 ? 1e-6 : ridge) : 0),
    ),
  );
  let weights = new Array<number>(size).fill(0);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const gradient = weights.map((weight, j) => (j === 0 ? 0 : ridge * weight));
    inputs.forEach((x, row) => {
      const residual = sigmoid(dot(weights, x)) - (targets[row] ? 1 : 0);
      for (let i = 0; i < size; i++) gradient[i]! += residual * x[i]!;
    });
    const step = solve(bound, gradient);
    weights = weights.map((weight, j) => weight - step[j]!);
  }
  return { parameters: size, probability: (row) => sigmoid(dot(weights, standard(row))) };
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Solves A·x = b for a symmetric positive definite A (n, n), by elimination without pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const a = matrix.map((row) => [...row]);
  const x = [...right];
  const n = x.length;
  for (let i = 0; i < n; i++)
    for (let row = i + 1; row < n; row++) {
      const factor = a[row]![i]! / a[i]![i]!;
      for (let column = i; column < n; column++) a[row]![column]! -= factor * a[i]![column]!;
      x[row]! -= factor * x[i]!;
    }
  for (let i = n - 1; i >= 0; i--) {
    for (let column = i + 1; column < n; column++) x[i]! -= a[i]![column]! * x[column]!;
    x[i]! /= a[i]![i]!;
  }
  return x;
}
