import { rowOf } from "../../core/text/text-features.ts";

/** Sizes of a bag-of-features net. */
export interface BagShape {
  readonly rows: number; // of the table that features are hashed to
  readonly dModel: number;
  readonly labels: readonly string[];
}

/** Table and linear layer in float: logits = W · (Σ table[row] / √n) + b. */
export interface BagNet extends BagShape {
  readonly table: Float32Array; // (rows, dModel)
  readonly weights: Float32Array; // (labels, dModel)
  readonly bias: Float32Array; // (labels,)
}

/** Σ table[row] / √n over the features, (dModel,); zeros of none. */
export function bagHidden({ rows, dModel, table }: BagNet, hashes: Uint32Array): Float32Array {
  const hidden = new Float32Array(dModel);
  for (const hash of hashes) {
    const at = rowOf(hash, rows) * dModel;
    for (let k = 0; k < dModel; k++) hidden[k]! += table[at + k]!;
  }
  const scale = hashes.length === 0 ? 0 : 1 / Math.sqrt(hashes.length);
  for (let k = 0; k < dModel; k++) hidden[k]! *= scale;
  return hidden;
}

/** Logits of the features of a text, (labels,). */
export function bagLogits(net: BagNet, hashes: Uint32Array): Float32Array {
  const { dModel, weights, bias } = net;
  const hidden = bagHidden(net, hashes);
  return Float32Array.from(bias, (b, c) => {
    let sum = b;
    for (let k = 0, at = c * dModel; k < dModel; k++) sum += weights[at + k]! * hidden[k]!;
    return sum;
  });
}
