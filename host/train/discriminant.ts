import { DataError } from "../core/system/errors.ts";
import { cholesky, solve } from "./cholesky.ts";

/** A linear discriminant: one linear function a class of clipped, standardised features. */
export interface Discriminant {
  readonly mean: Float64Array; // (nFeatures,)
  readonly deviation: Float64Array; // (nFeatures,)
  readonly weights: Float64Array; // (nClasses, nFeatures)
  readonly bias: Float64Array; // (nClasses,)
  readonly centres: Float64Array; // (nClasses, nFeatures): each class's mean, standardised
  readonly precision: Float64Array; // (nFeatures, nFeatures): the inverse of the shrunk covariance
}

/** Features further than so many deviations from their mean count as so many. */
export const CLIP_DEVIATIONS = 6;

/**
 * Fisher's linear discriminant with equal priors: classes share a covariance, shrunk by `shrinkage` (0…1) towards the identity times its
 * mean variance (Friedman 1989, Regularized Discriminant Analysis, JASA 84(405)). `rows` are (nFeatures,) each, `labels` 0…nClasses−1.
 * Throws CLASS_MISSING where a class has no row.
 */
export function fitDiscriminant(
  rows: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  nClasses: number,
  shrinkage: number,
): Discriminant {
  const size = rows[0]?.length ?? 0;
  const mean = meanRow(rows, size);
  const deviation = new Float64Array(size);
  for (const row of rows) for (let f = 0; f < size; f++) deviation[f]! += (row[f]! - mean[f]!) ** 2 / rows.length;
  for (let f = 0; f < size; f++) deviation[f] = Math.sqrt(deviation[f]!) || 1;
  const clip = (value: number): number => Math.max(-CLIP_DEVIATIONS, Math.min(CLIP_DEVIATIONS, value));
  const standard = rows.map((row) => mean.map((middle, f) => clip((row[f]! - middle) / deviation[f]!)));
  const centres = classMeans(standard, labels, nClasses, size);
  const covariance = new Float64Array(size * size); // the lower half
  standard.forEach((row, i) => {
    const centre = centres[labels[i]!]!;
    for (let f = 0; f < size; f++) row[f]! -= centre[f]!;
    for (let f = 0; f < size; f++) for (let g = 0, at = f * size; g <= f; g++, at++) covariance[at]! += (row[f]! * row[g]!) / rows.length;
  });
  let variance = 0;
  for (let f = 0; f < size; f++) variance += covariance[f * size + f]! / size;
  for (let f = 0; f < size; f++)
    for (let g = 0; g <= f; g++) {
      const own = (1 - shrinkage) * covariance[f * size + g]!;
      covariance[f * size + g] = f === g ? own + shrinkage * variance : own;
    }
  const factor = cholesky(covariance, size);
  const weights = new Float64Array(nClasses * size);
  const bias = new Float64Array(nClasses);
  centres.forEach((centre, c) => {
    const own = solve(factor, centre);
    weights.set(own, c * size);
    bias[c] = -0.5 * own.reduce((sum, weight, f) => sum + weight * centre[f]!, 0);
  });
  return { mean, deviation, weights, bias, centres: flat(centres, size), precision: inverse(factor, size) };
}

/** Log probabilities of a row of features but for a common constant, (nClasses,). */
export function discriminantScores(
  { mean, deviation, weights, bias }: Pick<Discriminant, "mean" | "deviation" | "weights" | "bias">,
  row: ArrayLike<number>,
): Float64Array {
  const size = mean.length;
  const scores = bias.slice();
  for (let f = 0; f < size; f++) {
    const value = Math.max(-CLIP_DEVIATIONS, Math.min(CLIP_DEVIATIONS, (row[f]! - mean[f]!) / deviation[f]!));
    for (let k = 0; k < scores.length; k++) scores[k]! += value * weights[k * size + f]!;
  }
  return scores;
}

function flat(rows: readonly Float64Array[], size: number): Float64Array {
  const out = new Float64Array(rows.length * size);
  for (const [i, row] of rows.entries()) out.set(row, i * size);
  return out;
}

/** (L·Lᵀ)⁻¹, (size, size). */
function inverse(factor: Float64Array, size: number): Float64Array {
  const columns = Array.from({ length: size }, (_, f) => {
    const unit = new Float64Array(size);
    unit[f] = 1;
    return solve(factor, unit);
  });
  return flat(columns, size); // symmetric: a column is a row
}

function classMeans(rows: readonly Float64Array[], labels: ArrayLike<number>, nClasses: number, size: number): Float64Array[] {
  return Array.from({ length: nClasses }, (_, c) => {
    const own = rows.filter((_, i) => labels[i] === c);
    if (own.length === 0) throw new DataError("CLASS_MISSING", `class ${c} has no window to learn from: give recordings that have it.`);
    return meanRow(own, size);
  });
}

function meanRow(rows: readonly ArrayLike<number>[], size: number): Float64Array {
  const mean = new Float64Array(size);
  for (const row of rows) for (let f = 0; f < size; f++) mean[f]! += row[f]! / rows.length;
  return mean;
}
