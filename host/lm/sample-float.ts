import type { Sampling } from "./language-engine.ts";

/** Index of the largest value, the first of equals. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** log softmax into `y`. */
export function logSoftmax(y: Float32Array, logits: Float32Array): void {
  const max = logits[argmax(logits)]!;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - max);
  const shift = max + Math.log(total);
  for (let i = 0; i < logits.length; i++) y[i] = logits[i]! - shift;
}

/**
 * Draws a token: softmax of logits / temperature, cut to the `topK` most probable, then to the fewest that together reach `topP` (nucleus
 * sampling, arXiv:1904.09751). `uniform` is in [0, 1).
 */
export function sampleToken(logits: Float32Array, { temperature, topK, topP }: Sampling, uniform: number): number {
  if (temperature === 0) return argmax(logits);
  const max = logits[argmax(logits)]!;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - max) / temperature));
  const order = Uint32Array.from(logits.keys());
  if (topK > 0 || topP < 1) order.sort((a, b) => logits[b]! - logits[a]! || a - b);
  const kept = order.subarray(0, topK > 0 ? topK : order.length);
  const nucleus = kept.subarray(0, reach(weights, kept, topP));
  return nucleus[Math.min(nucleus.length, reach(weights, nucleus, uniform)) - 1]!;
}

/** How many of `order`, from its front, it takes to exceed `share` of their weight; at least one. */
function reach(weights: Float64Array, order: Uint32Array, share: number): number {
  const total = order.reduce((sum, token) => sum + weights[token]!, 0);
  if (share >= 1) return order.length;
  let sum = 0;
  let count = 0;
  for (const token of order) {
    sum += weights[token]!;
    count += 1;
    if (sum > share * total) break;
  }
  return count;
}
