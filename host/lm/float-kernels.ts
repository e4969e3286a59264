import type { LlamaShape } from "./checkpoint.ts";

/** A matrix, row-major. */
export type Weights = { readonly values: Float32Array; readonly rows: number; readonly columns: number };

/** Keys and values of past positions (slots, kvHeads · headSize). */
export type Ring = { readonly keys: Float32Array; readonly values: Float32Array };

/** y = x / rms(x) · gain (arXiv:1910.07467). */
export function rmsNorm(y: Float32Array, x: Float32Array, gain: Float32Array, epsilon: number): void {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i]! * x[i]!;
  const inverse = 1 / Math.sqrt(squares / x.length + epsilon);
  for (let i = 0; i < x.length; i++) y[i] = x[i]! * inverse * gain[i]!;
}

/** y = W·x. */
export function multiply(y: Float32Array, { values, rows, columns }: Weights, x: Float32Array): void {
  for (let row = 0, at = 0; row < rows; row++, at += columns) {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += values[at + i]! * x[i]!;
    y[row] = sum;
  }
}

/** RoPE: turns the pair (2i, 2i + 1) of every head by position · frequency i. */
export function rotate(vector: Float32Array, position: number, frequencies: Float64Array): void {
  const half = frequencies.length;
  for (let pair = 0; 2 * pair < vector.length; pair++) {
    const angle = position * frequencies[pair % half]!;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    const [a, b] = [vector[2 * pair]!, vector[2 * pair + 1]!];
    vector[2 * pair] = a * cosine - b * sine;
    vector[2 * pair + 1] = a * sine + b * cosine;
  }
}

/** Attention: every head's softmax(q·K / √headSize)·V over the first `count` slots of the ring, whose order does not matter. */
export function attend(
  y: Float32Array,
  q: Float32Array,
  ring: Ring,
  { heads, kvHeads, headSize }: Pick<LlamaShape, "heads" | "kvHeads" | "headSize">,
  scores: Float32Array,
  count: number,
): void {
  const { keys, values } = ring;
  const kvWidth = kvHeads * headSize;
  const scale = 1 / Math.sqrt(headSize);
  for (let head = 0; head < heads; head++) {
    const at = head * headSize;
    const kvAt = Math.floor((head * kvHeads) / heads) * headSize;
    let max = Number.NEGATIVE_INFINITY;
    for (let slot = 0; slot < count; slot++) {
      let score = 0;
      for (let i = 0; i < headSize; i++) score += q[at + i]! * keys[slot * kvWidth + kvAt + i]!;
      scores[slot] = score * scale;
      max = Math.max(max, scores[slot]!);
    }
    let total = 0;
    for (let slot = 0; slot < count; slot++) {
      scores[slot] = Math.exp(scores[slot]! - max);
      total += scores[slot]!;
    }
    for (let i = 0; i < headSize; i++) {
      let sum = 0;
      for (let slot = 0; slot < count; slot++) sum += scores[slot]! * values[slot * kvWidth + kvAt + i]!;
      y[at + i] = sum / total;
    }
  }
}

/** gate = SiLU(gate) · up. */
export function swiGlu(gate: Float32Array, up: Float32Array): void {
  for (let i = 0; i < gate.length; i++) gate[i] = (gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!;
}

/** x += y. */
export function add(x: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i]! += y[i]!;
}

/** RoPE's angle per position of each pair of a head. */
export function ropeFrequencies({ headSize, ropeTheta }: LlamaShape): Float64Array {
  return Float64Array.from({ length: headSize / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headSize));
}
