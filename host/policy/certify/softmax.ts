/** Probabilities of logits (n,), summing to 1. In floating point: what the core does is kernels/softmax. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const top = logits[largest(logits)]!;
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Index of the first of the largest values; at least one. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if (values[c]! > values[best]!) best = c;
  return best;
}
