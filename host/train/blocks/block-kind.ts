import type { numpy as np } from "@jax-js/jax";
import type { Block } from "../../core/image/image-types.ts";
import type { Arrays, Breaks, Numerics, Parameters } from "../layers.ts";
import type { Exporter } from "../quantise.ts";

/** Adds an update to the residual; dropout acts here. Both arrays are used up. */
export type Add = (residual: np.Array, update: np.Array) => np.Array;

/** Names a block's parameters. */
export interface Define {
  linear(name: string, nIn: number, nOut: number): void; // name.w (nIn, nOut) and name.b (nOut,)
  array(name: string, shape: readonly number[]): void;
}

/** One block kind, as the trainer needs it. `i` is the block's place in the net: its parameters are called b{i}.… */
export interface TrainedKind<C> {
  readonly kind: string;
  readonly activations: readonly string[]; // that the core holds as int8 (y: int16), each with one scale
  readonly mixers: number; // updates of the residual: dropout masks
  parameters(block: C, dModel: number, define: Define): void;
  /** Residual (B, L, dModel) after the block. */
  forward(residual: np.Array, i: number, block: C, p: Arrays, numerics: Numerics, breaks: Breaks, add: Add): np.Array;
  /** The same without any rounding, rows (L, dModel). */
  forwardFloat(p: Parameters, i: number, block: C, rows: readonly Float64Array[]): Float64Array[];
  toImage(exporter: Exporter, i: number, block: C): Block;
  /** Patches back that it reads; undefined: all of them, by a recurrence. */
  reachPatches(block: C): number | undefined;
  /** Elements that it remembers. */
  stateElements(block: C): { readonly scan: number; readonly others: number };
}
