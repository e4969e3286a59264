import type { Forest } from "../../cloud/confirm/forest.ts";
import { createRandom } from "../../core/system/random.ts";
import { type GrowingNode, packForest, type TreeTable } from "./tree-table.ts";

export interface ExtraTreesOptions {
  readonly trees: number;
  readonly depth: number;
  readonly leafRows: number; // least rows in a leaf
  readonly tries: number; // statistics drawn per node
  readonly seed: number;
}

/**
 * Extremely randomised trees (Geurts, Ernst, Wehenkel, Machine Learning 2006): at each node the best of `tries` statistics, each cut at
 * random. Every leaf holds its weighted share of falls divided by the number of trees: their sum is a probability.
 */
export function trainExtraTrees({ rows, targets, weights }: TreeTable, options: ExtraTreesOptions): Forest {
  const random = createRandom(options.seed);
  const statistics = rows[0]?.length ?? 0;
  const columns = Array.from({ length: statistics }, (_, f) => Float64Array.from(rows, (row) => row[f]!));

  function grow(members: readonly number[], depth: number): GrowingNode {
    let all = 0;
    let falls = 0;
    for (const i of members) {
      all += weights[i]!;
      falls += weights[i]! * targets[i]!;
    }
    const leaf = { leaf: falls / all / options.trees };
    if (depth === 0 || members.length < 2 * options.leafRows || falls <= 0 || falls >= all) return leaf;
    let best: { feature: number; threshold: number } | undefined;
    let bestImpurity = Number.POSITIVE_INFINITY;
    for (let k = 0; k < options.tries; k++) {
      const f = random.integer(statistics);
      const column = columns[f]!;
      let low = Number.POSITIVE_INFINITY;
      let high = Number.NEGATIVE_INFINITY;
      for (const i of members) {
        low = Math.min(low, column[i]!);
        high = Math.max(high, column[i]!);
      }
      const threshold = Math.fround(low + random.uniform() * (high - low));
      if (!(high > low) || !(threshold < high)) continue;
      let [count, left, leftFalls] = [0, 0, 0];
      for (const i of members) {
        if (column[i]! > threshold) continue;
        count++;
        left += weights[i]!;
        leftFalls += weights[i]! * targets[i]!;
      }
      if (count < options.leafRows || members.length - count < options.leafRows) continue;
      const impurity = gini(leftFalls, left) + gini(falls - leftFalls, all - left);
      if (impurity < bestImpurity) {
        bestImpurity = impurity;
        best = { feature: f, threshold };
      }
    }
    if (best === undefined) return leaf;
    const { threshold } = best;
    const column = columns[best.feature]!;
    return {
      ...best,
      left: grow(
        members.filter((i) => column[i]! <= threshold),
        depth - 1,
      ),
      right: grow(
        members.filter((i) => column[i]! > threshold),
        depth - 1,
      ),
    };
  }

  const everyone = rows.map((_, i) => i);
  return packForest(Array.from({ length: options.trees }, () => grow(everyone, options.depth)));
}

/** Gini impurity of a node times its weight. */
function gini(falls: number, all: number): number {
  return all <= 0 ? 0 : (2 * falls * (all - falls)) / all;
}
