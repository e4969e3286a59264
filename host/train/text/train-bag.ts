import { DataError } from "../../core/system/errors.ts";
import { createRandom, type Random } from "../../core/system/random.ts";
import { rowOf, textFeatures } from "../../core/text/text-features.ts";
import type { TextExample } from "../../data/text-example.ts";
import type { BagNet, BagShape } from "./bag-net.ts";

/** How a bag net is trained: Adagrad, an example per step. */
export interface BagRecipe {
  readonly epochs: number;
  readonly learningRate: number; // falls linearly to 0
  readonly featureDropout: number; // share of a text's features that a step leaves out
  readonly labelSmoothing: number;
}

export const bagRecipe: BagRecipe = { epochs: 25, learningRate: 0.1, featureDropout: 0.6, labelSmoothing: 0.1 };

export interface TrainBagOptions {
  readonly shape: BagShape;
  readonly examples: readonly TextExample[];
  readonly seed: number;
  readonly recipe?: BagRecipe;
  /** Probabilities to learn from instead of the label alone, (labels,) per example: distillation. */
  readonly targets?: readonly Float32Array[];
  readonly onEpoch?: (epoch: number, loss: number) => void;
  readonly signal?: AbortSignal;
}

const EPSILON = 1e-8;

/** Trains a net on texts. The same seed gives the same net. Throws DataError TEXT_LABEL for a label that the net has not. */
export function trainBag({ shape, examples, seed, recipe = bagRecipe, targets, onEpoch, signal }: TrainBagOptions): BagNet {
  const random = createRandom(seed);
  const net = freshNet(shape, random);
  const step = stepper(net, recipe);
  const labels = new Map(shape.labels.map((label, i) => [label, i]));
  const items = examples.map(({ text, label }) => {
    const target = labels.get(label);
    if (target === undefined) throw new DataError("TEXT_LABEL", `"${label}" is no label of the net: name it, or leave its texts out.`);
    return { rows: Int32Array.from(textFeatures(text).hashes, (hash) => rowOf(hash, shape.rows)), target };
  });
  const order = items.map((_, i) => i);
  const steps = recipe.epochs * items.length;
  let done = 0;
  for (let epoch = 1; epoch <= recipe.epochs; epoch++) {
    signal?.throwIfAborted();
    shuffle(order, random);
    let loss = 0;
    for (const i of order) {
      const rate = recipe.learningRate * (1 - done++ / steps);
      const { rows, target } = items[i]!;
      loss += step(dropped(rows, recipe.featureDropout, random), target, targets?.[i], rate);
    }
    onEpoch?.(epoch, loss / items.length);
  }
  return net;
}

function freshNet(shape: BagShape, random: Random): BagNet {
  const { rows, dModel, labels } = shape;
  const spread = (n: number, scale: number): Float32Array => Float32Array.from({ length: n }, () => (2 * random.uniform() - 1) * scale);
  return {
    ...shape,
    table: spread(rows * dModel, 1 / dModel),
    weights: spread(labels.length * dModel, 1 / Math.sqrt(dModel)),
    bias: new Float32Array(labels.length),
  };
}

function shuffle(order: number[], random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const k = random.integer(i + 1);
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
}

/** The features that a step keeps; at least one of any. */
function dropped(rows: Int32Array, share: number, random: Random): Int32Array {
  const kept = rows.filter(() => random.uniform() >= share);
  return kept.length > 0 || rows.length === 0 ? kept : rows.subarray(0, 1);
}

/** One step of Adagrad (Duchi 2011) on the cross-entropy; returns the loss in nats. */
function stepper(net: BagNet, { labelSmoothing }: BagRecipe) {
  const { dModel, table, weights, bias } = net;
  const nLabels = bias.length;
  const tableSums = new Float32Array(table.length);
  const weightSums = new Float32Array(weights.length);
  const biasSums = new Float32Array(nLabels);
  const hidden = new Float64Array(dModel);
  const back = new Float64Array(dModel);
  const logits = new Float64Array(nLabels);

  return (rows: Int32Array, target: number, soft: Float32Array | undefined, rate: number): number => {
    const scale = rows.length === 0 ? 0 : 1 / Math.sqrt(rows.length);
    hidden.fill(0);
    for (const row of rows) for (let k = 0, at = row * dModel; k < dModel; k++) hidden[k]! += table[at + k]!;
    for (let k = 0; k < dModel; k++) hidden[k]! *= scale;
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0, at = 0; c < nLabels; c++, at += dModel) {
      let sum = bias[c]!;
      for (let k = 0; k < dModel; k++) sum += weights[at + k]! * hidden[k]!;
      logits[c] = sum;
      if (sum > top) top = sum;
    }
    let total = 0;
    for (let c = 0; c < nLabels; c++) total += logits[c] = Math.exp(logits[c]! - top);
    const loss = -Math.log(logits[target]! / total);

    back.fill(0);
    for (let c = 0, at = 0; c < nLabels; c++, at += dModel) {
      const wanted = soft ? soft[c]! : (c === target ? 1 - labelSmoothing : 0) + labelSmoothing / nLabels;
      const gradient = logits[c]! / total - wanted;
      biasSums[c]! += gradient * gradient;
      bias[c]! -= (rate * gradient) / Math.sqrt(biasSums[c]! + EPSILON);
      for (let k = 0; k < dModel; k++) {
        const i = at + k;
        const slope = gradient * hidden[k]!;
        back[k]! += gradient * weights[i]!;
        const sum = weightSums[i]! + slope * slope;
        weightSums[i] = sum;
        weights[i]! -= (rate * slope) / Math.sqrt(sum + EPSILON);
      }
    }
    for (let k = 0; k < dModel; k++) back[k]! *= scale;
    for (const row of rows) {
      for (let k = 0, i = row * dModel; k < dModel; k++, i++) {
        const slope = back[k]!;
        const sum = tableSums[i]! + slope * slope;
        tableSums[i] = sum;
        table[i]! -= (rate * slope) / Math.sqrt(sum + EPSILON);
      }
    }
    return loss;
  };
}
