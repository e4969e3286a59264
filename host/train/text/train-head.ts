import type { DenseS8, IntentHead } from "../../cloud/intents/head.ts";
import { createRandom, type Random } from "../../core/system/random.ts";

/** Sentence vectors (texts, dimensions) with the index of each text's label. */
export interface LabelledVectors {
  readonly vectors: Float32Array;
  readonly labels: Int32Array;
}

export interface HeadRecipe {
  readonly hidden: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number; // falls linearly to 0
  readonly dropout: number; // of hidden units
  readonly labelSmoothing: number;
}

export const headRecipe: HeadRecipe = { hidden: 256, epochs: 12, batch: 32, learningRate: 0.003, dropout: 0.3, labelSmoothing: 0.1 };

interface Dense {
  readonly rows: number;
  readonly columns: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Trains tanh and softmax layers on sentence vectors by Adam in mini-batches, and rounds them to int8 per row. Seeded. */
export function trainHead(
  { vectors, labels }: LabelledVectors,
  shape: { readonly dimensions: number; readonly nLabels: number },
  seed: number,
  recipe: HeadRecipe = headRecipe,
): IntentHead["layers"] {
  const random = createRandom(seed);
  const { dimensions, nLabels } = shape;
  const gain = Math.sqrt(dimensions); // vectors have length 1: as if each value had variance 1
  const first = fresh(recipe.hidden, dimensions, gain, random);
  const second = fresh(nLabels, recipe.hidden, 1, random);
  const [learnFirst, learnSecond] = [adam(first), adam(second)];
  const hidden = new Float32Array(recipe.hidden);
  const kept = new Float32Array(recipe.hidden);
  const slopes = new Float32Array(nLabels);
  const order = Array.from(labels, (_, i) => i);
  const batches = Math.ceil(order.length / recipe.batch);
  for (let epoch = 0, step = 0; epoch < recipe.epochs; epoch++) {
    shuffle(order, random);
    for (let from = 0; from < order.length; from += recipe.batch, step++) {
      const batch = order.slice(from, from + recipe.batch);
      for (const at of batch) {
        const input = vectors.subarray(at * dimensions, (at + 1) * dimensions);
        forward(first, input, hidden);
        for (let k = 0; k < hidden.length; k++) {
          kept[k] = random.uniform() < recipe.dropout ? 0 : 1 / (1 - recipe.dropout);
          hidden[k] = Math.tanh(hidden[k]!);
        }
        forward(
          second,
          hidden.map((value, k) => value * kept[k]!),
          slopes,
        );
        crossEntropySlopes(slopes, labels[at]!, recipe.labelSmoothing);
        const back = learnSecond.add(
          hidden.map((value, k) => value * kept[k]!),
          slopes,
        );
        for (let k = 0; k < back.length; k++) back[k]! *= kept[k]! * (1 - hidden[k]! ** 2);
        learnFirst.add(input, back);
      }
      const rate = recipe.learningRate * (1 - step / (batches * recipe.epochs));
      learnFirst.step(rate * gain, batch.length);
      learnSecond.step(rate, batch.length);
    }
  }
  return [quantised(first), quantised(second)];
}

function fresh(rows: number, columns: number, gain: number, random: Random): Dense {
  const spread = gain / Math.sqrt(columns);
  const weights = Float32Array.from({ length: rows * columns }, () => (2 * random.uniform() - 1) * spread);
  return { rows, columns, weights, bias: new Float32Array(rows) };
}

function shuffle(order: number[], random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const k = random.integer(i + 1);
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
}

function forward({ rows, columns, weights, bias }: Dense, input: Float32Array, output: Float32Array): void {
  for (let r = 0, at = 0; r < rows; r++, at += columns) {
    let [a, b, c, d] = [bias[r]!, 0, 0, 0]; // four sums: each product need not wait for the one before
    let k = 0;
    for (; k + 3 < columns; k += 4) {
      a += weights[at + k]! * input[k]!;
      b += weights[at + k + 1]! * input[k + 1]!;
      c += weights[at + k + 2]! * input[k + 2]!;
      d += weights[at + k + 3]! * input[k + 3]!;
    }
    for (; k < columns; k++) a += weights[at + k]! * input[k]!;
    output[r] = a + b + c + d;
  }
}

/** Logits become the gradient of the smoothed cross-entropy. */
function crossEntropySlopes(logits: Float32Array, label: number, smoothing: number): void {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let total = 0;
  for (let c = 0; c < logits.length; c++) total += logits[c] = Math.exp(logits[c]! - top);
  for (let c = 0; c < logits.length; c++) {
    const wanted = (c === label ? 1 - smoothing : 0) + smoothing / logits.length;
    logits[c] = logits[c]! / total - wanted;
  }
}

const [MOMENTUM, DECAY, EPSILON] = [0.9, 0.999, 1e-8];

/** Adam (Kingma and Ba, arXiv 1412.6980) on a layer. `add` takes in an example and returns the gradient of its input. */
function adam({ rows, columns, weights, bias }: Dense) {
  const parts = [weights, bias].map((values) => ({
    values,
    gradient: new Float32Array(values.length),
    mean: new Float32Array(values.length),
    square: new Float32Array(values.length),
  }));
  const [ofWeights, ofBias] = parts as [(typeof parts)[number], (typeof parts)[number]];
  let steps = 0;
  return {
    add(input: Float32Array, slopes: Float32Array): Float32Array {
      const back = new Float32Array(columns);
      const { gradient } = ofWeights;
      for (let r = 0, at = 0; r < rows; r++, at += columns) {
        const slope = slopes[r]!;
        ofBias.gradient[r]! += slope;
        for (let c = 0; c < columns; c++) {
          gradient[at + c]! += slope * input[c]!;
          back[c]! += slope * weights[at + c]!;
        }
      }
      return back;
    },
    step(rate: number, examples: number): void {
      steps++;
      const scale = (rate * Math.sqrt(1 - DECAY ** steps)) / (1 - MOMENTUM ** steps);
      for (const { values, gradient, mean, square } of parts) {
        for (let i = 0; i < values.length; i++) {
          const slope = gradient[i]! / examples;
          mean[i] = MOMENTUM * mean[i]! + (1 - MOMENTUM) * slope;
          square[i] = DECAY * square[i]! + (1 - DECAY) * slope * slope;
          values[i]! -= (scale * mean[i]!) / (Math.sqrt(square[i]!) + EPSILON);
          gradient[i] = 0;
        }
      }
    },
  };
}

/** int8 per row, symmetric. */
function quantised({ rows, columns, weights, bias }: Dense): DenseS8 {
  const scales = new Float32Array(rows);
  const rounded = new Int8Array(weights.length);
  for (let r = 0; r < rows; r++) {
    const row = weights.subarray(r * columns, (r + 1) * columns);
    const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12) / 127;
    scales[r] = scale;
    for (const [c, value] of row.entries()) rounded[r * columns + c] = Math.round(value / scale);
  }
  return { rows, columns, weights: rounded, scales, bias };
}
