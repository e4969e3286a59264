import type { LinearTensors } from "./tensor-types.ts";

/** Work by kind: what the energy model prices. */
export interface Ops {
  readonly macs: number;
  readonly requantize: number;
  readonly state: number; // scan state updates
  readonly lookup: number;
  readonly norm: number; // elements that a norm reads
  readonly weightBytes: number;
}

export const NO_OPS: Ops = { macs: 0, requantize: 0, state: 0, lookup: 0, norm: 0, weightBytes: 0 };

/** Operations of `a` and `times` those of `b`. */
export function plus(a: Ops, b: Ops, times = 1): Ops {
  return {
    macs: a.macs + b.macs * times,
    requantize: a.requantize + b.requantize * times,
    state: a.state + b.state * times,
    lookup: a.lookup + b.lookup * times,
    norm: a.norm + b.norm * times,
    weightBytes: a.weightBytes + b.weightBytes * times,
  };
}

export function linearOps({ nIn, nOut }: LinearTensors): Ops {
  return { ...NO_OPS, macs: nIn * nOut, weightBytes: nIn * nOut, requantize: nOut };
}

/** `own` and what the linear layers take. */
export function withLinears(own: Ops, linears: readonly LinearTensors[]): Ops {
  return linears.map(linearOps).reduce((a, b) => plus(a, b), own);
}
