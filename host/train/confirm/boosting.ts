import { sigmoid } from "../../cloud/confirm/confirmation.ts";
import type { Forest } from "../../cloud/confirm/forest.ts";
import { createRandom } from "../../core/system/random.ts";
import { type GrowingNode, packForest, type TreeTable } from "./tree-table.ts";

export interface BoostingOptions {
  readonly trees: number;
  readonly depth: number;
  readonly rate: number; // shrinkage of each tree
  readonly bins: number; // ≤ 256
  readonly leafWeight: number; // least sum of weights in a leaf
  readonly ridge: number; // on leaf values
  readonly statisticShare: number; // of the statistics that a tree may split on
  readonly rowShare: number; // of the rows that a tree learns from
  readonly seed: number;
}

/**
 * Gradient boosting of the logistic loss over histograms (Friedman, Ann. Statist. 2001; Ke et al., NeurIPS 2017): second-order leaf
 * values, trees grown level by level. The sum of the leaves is a logit. The same seed gives the same trees.
 */
export function trainBoosting({ rows, targets, weights }: TreeTable, options: BoostingOptions): Forest {
  const random = createRandom(options.seed);
  const n = rows.length;
  const statistics = rows[0]?.length ?? 0;
  const edges = Array.from({ length: statistics }, (_, f) => binEdges(rows, f, options.bins));
  const binned = edges.map((own, f) => Uint8Array.from(rows, (row) => binIndex(own, Math.fround(row[f]!))));
  const logits = new Float64Array(n);
  const gradient = new Float64Array(n);
  const curvature = new Float64Array(n);
  const trees: GrowingNode[] = [];
  for (let t = 0; t < options.trees; t++) {
    for (let i = 0; i < n; i++) {
      const p = sigmoid(logits[i]!);
      gradient[i] = weights[i]! * (p - targets[i]!);
      curvature[i] = Math.max(1e-9, weights[i]! * p * (1 - p));
    }
    const used = Array.from({ length: statistics }, (_, f) => f).filter(() => random.uniform() < options.statisticShare);
    const sample = Array.from({ length: n }, (_, i) => i).filter(() => random.uniform() < options.rowShare);
    const grow = (members: readonly number[], depth: number): GrowingNode => {
      const split = depth === 0 ? undefined : bestSplit(members, used);
      if (split === undefined) return { leaf: leafValue(members) };
      const bins = binned[split.feature]!;
      return {
        feature: split.feature,
        threshold: edges[split.feature]![split.bin]!,
        left: grow(
          members.filter((i) => bins[i]! <= split.bin),
          depth - 1,
        ),
        right: grow(
          members.filter((i) => bins[i]! > split.bin),
          depth - 1,
        ),
      };
    };
    const tree = grow(sample, options.depth);
    trees.push(tree);
    for (let i = 0; i < n; i++) logits[i]! += leafOf(tree, rows[i]!);
  }
  return packForest(trees);

  function leafValue(members: readonly number[]): number {
    let g = 0;
    let h = 0;
    for (const i of members) {
      g += gradient[i]!;
      h += curvature[i]!;
    }
    return (-g / (h + options.ridge)) * options.rate;
  }

  function bestSplit(members: readonly number[], used: readonly number[]): { feature: number; bin: number } | undefined {
    let best: { feature: number; bin: number } | undefined;
    let bestGain = 1e-6;
    for (const f of used) {
      const g = new Float64Array(options.bins);
      const h = new Float64Array(options.bins);
      const w = new Float64Array(options.bins);
      const bins = binned[f]!;
      let total = 0;
      let curved = 0;
      let heavy = 0;
      for (const i of members) {
        const b = bins[i]!;
        g[b]! += gradient[i]!;
        h[b]! += curvature[i]!;
        w[b]! += weights[i]!;
        total += gradient[i]!;
        curved += curvature[i]!;
        heavy += weights[i]!;
      }
      const whole = total ** 2 / (curved + options.ridge);
      let [gl, hl, wl] = [0, 0, 0];
      for (let b = 0; b < edges[f]!.length; b++) {
        gl += g[b]!;
        hl += h[b]!;
        wl += w[b]!;
        if (wl < options.leafWeight || heavy - wl < options.leafWeight) continue;
        const gain = gl ** 2 / (hl + options.ridge) + (total - gl) ** 2 / (curved - hl + options.ridge) - whole;
        if (gain > bestGain) {
          bestGain = gain;
          best = { feature: f, bin: b };
        }
      }
    }
    return best;
  }
}

function leafOf(tree: GrowingNode, row: Float64Array): number {
  let node = tree;
  while (!("leaf" in node)) node = row[node.feature]! <= node.threshold ? node.left : node.right;
  return node.leaf;
}

/** Upper edges of all bins but the last, about as many rows in each; float32, as the file holds them. */
function binEdges(rows: readonly Float64Array[], feature: number, bins: number): Float32Array {
  const sorted = Float32Array.from(rows, (row) => row[feature]!).sort();
  const edges = new Set<number>();
  for (let b = 1; b < bins; b++) edges.add(sorted[Math.floor((b * sorted.length) / bins)]!);
  edges.delete(sorted.at(-1)!);
  return Float32Array.from(edges);
}

/** The bin of a value: the first whose upper edge is not below it. */
function binIndex(edges: Float32Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= edges[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
