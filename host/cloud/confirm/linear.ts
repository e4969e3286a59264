/** A linear confirmation: logistic regression on standardised statistics. */
export interface LinearConfirmation {
  readonly means: Float32Array; // (statistics,)
  readonly scales: Float32Array; // (statistics,)
  readonly limit: number; // a statistic counts for at most so many scales from its mean
  readonly weights: Float32Array; // (statistics,)
  readonly bias: number;
}

/** The logit of a fall. */
export function linearLogit({ means, scales, limit, weights, bias }: LinearConfirmation, x: Float64Array): number {
  let logit = bias;
  for (let f = 0; f < weights.length; f++) logit += weights[f]! * Math.max(-limit, Math.min(limit, (x[f]! - means[f]!) / scales[f]!));
  return logit;
}
