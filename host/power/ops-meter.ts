import type { ModelImage } from "../core/image/image-types.ts";
import { blockOps, countLdaOps, embedOps, exitOps } from "../core/image/op-count.ts";
import { NO_OPS, type Ops, plus } from "../core/image/ops.ts";
import type { Decision } from "../core/session/session-types.ts";

/** Counts every kind of operation of a decision; the core counts multiply-accumulates only. */
export interface OpsMeter {
  /** Operations since the decision before, catch-up included. Its `macs` are the decision's own. */
  read(decision: Pick<Decision, "exit" | "patch">): Ops;
  /** Resets the count with the model's state. */
  reset(): void;
  /** A decision at `exit` in a steady stream that always stops there: `hopPatches` patches through its blocks. */
  steady(exit: number, hopPatches: number): Ops;
}

/**
 * Keeps count of what waits in each exit's ring, as the core does (assembly/step.ts): a catch-up runs what is pending, and a full ring
 * where it has overflowed. Attention counts at its full window.
 */
export function createOpsMeter(image: ModelImage): OpsMeter {
  const { blocks, exits, dModel, ringPatches, windowPatches } = image;
  const segments = exits.map(({ afterBlock }, k) =>
    blocks
      .slice(k === 0 ? 0 : exits[k - 1]!.afterBlock + 1, afterBlock + 1)
      .reduce((sum, block) => plus(sum, blockOps(block, dModel), 1), k === 0 ? embedOps(image) : NO_OPS),
  );
  const heads = exits.map((_, k) => exitOps(image, k));
  const lda = countLdaOps(image);
  const rings = exits.length - 1;
  const pending = new Array<number>(rings).fill(0); // ringPatches + 1 = overflowed
  let lastPatch = 0;
  const push = (ring: number, patches: number): void => {
    if (ring < rings) pending[ring] = Math.min(pending[ring]! + patches, ringPatches + 1);
  };
  return {
    read({ exit, patch }) {
      const patches = patch >= lastPatch ? patch - lastPatch : patch;
      lastPatch = patch;
      let ops = plus(plus(patch >= windowPatches ? lda : NO_OPS, segments[0]!, patches), heads[0]!, 1);
      push(0, patches);
      for (let k = 1; k <= exit; k++) {
        if (pending[k - 1]! > ringPatches) pending.fill(0, k);
        const run = Math.min(pending[k - 1]!, ringPatches);
        pending[k - 1] = 0;
        push(k, run);
        ops = plus(plus(ops, segments[k]!, run), heads[k]!, 1);
      }
      return ops;
    },
    reset() {
      pending.fill(0);
      lastPatch = 0;
    },
    steady(exit, hopPatches) {
      let ops = lda;
      for (let k = 0; k <= exit; k++)
        ops = plus(plus(ops, segments[k]!, k === 0 ? hopPatches : Math.min(hopPatches, ringPatches)), heads[k]!, 1);
      return ops;
    },
  };
}
