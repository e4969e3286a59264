/**
 * Binary trees in arrays, each tree's nodes in preorder: a node's left child is the next node. A leaf has feature −1 and its value; an
 * inner node sends x to the left if x[feature] ≤ value, else to node `right`.
 */
export interface Forest {
  readonly roots: Int32Array; // (trees,) ascending
  readonly feature: Int16Array; // (nodes,)
  readonly value: Float32Array; // (nodes,) threshold or the leaf's value
  readonly right: Int32Array; // (nodes,)
}

/** Sum of the leaves that x falls into. */
export function sumOfLeaves({ roots, feature, value, right }: Forest, x: Float64Array): number {
  let sum = 0;
  for (const root of roots) {
    let node = root;
    for (let f = feature[node]!; f >= 0; f = feature[node]!) node = x[f]! <= value[node]! ? node + 1 : right[node]!;
    sum += value[node]!;
  }
  return sum;
}

/**
 * What is wrong with a forest from elsewhere, undefined if nothing is: roots must ascend from 0, and children lie behind their parents
 * within the same tree, so that every walk ends.
 */
export function forestFlaw({ roots, feature, value, right }: Forest, features: number): string | undefined {
  const nodes = feature.length;
  if (value.length !== nodes || right.length !== nodes) return "its nodes' arrays differ in length";
  if (nodes > 0 && roots[0] !== 0) return "its first tree does not begin at node 0";
  for (let tree = 0; tree < roots.length; tree++) {
    const from = roots[tree]!;
    const to = roots[tree + 1] ?? nodes;
    if (!(from >= 0 && from < to && to <= nodes)) return `tree ${tree} lies at ${from}…${to}`;
    for (let node = from; node < to; node++) {
      const f = feature[node]!;
      if (!Number.isFinite(value[node]!)) return `node ${node} has the value ${value[node]}`;
      if (f < -1 || f >= features) return `node ${node} reads statistic ${f} of ${features}`;
      if (f >= 0 && !(node + 1 < right[node]! && right[node]! < to)) return `node ${node} has its right child at ${right[node]}`;
    }
  }
  return undefined;
}
