import type { Forest } from "../../cloud/confirm/forest.ts";

/** Rows that trees learn from. */
export interface TreeTable {
  readonly rows: readonly Float64Array[]; // (n,) of (statistics,)
  readonly targets: Uint8Array; // (n,) 1 = a fall
  readonly weights: Float64Array; // (n,)
}

/** A node while its tree grows. */
export type GrowingNode =
  | { readonly leaf: number }
  | { readonly feature: number; readonly threshold: number; readonly left: GrowingNode; readonly right: GrowingNode };

/** Trees as the cloud evaluates them. */
export function packForest(trees: readonly GrowingNode[]): Forest {
  const roots: number[] = [];
  const feature: number[] = [];
  const value: number[] = [];
  const right: number[] = [];
  const add = (node: GrowingNode): void => {
    const at = feature.length;
    if ("leaf" in node) {
      feature.push(-1);
      value.push(node.leaf);
      right.push(0);
      return;
    }
    feature.push(node.feature);
    value.push(node.threshold);
    right.push(0);
    add(node.left);
    right[at] = feature.length;
    add(node.right);
  };
  for (const tree of trees) {
    roots.push(feature.length);
    add(tree);
  }
  return {
    roots: Int32Array.from(roots),
    feature: Int16Array.from(feature),
    value: Float32Array.from(value),
    right: Int32Array.from(right),
  };
}
