import { jit, type numpy as np } from "@jax-js/jax";
import type { Batch } from "./batches.ts";
import { netInput, type TracedInput, uploadBatch, uploadParameters, uploadScales } from "./device-arrays.ts";
import type { Arrays, Parameters, Scales } from "./layers.ts";
import { forward } from "./net.ts";
import { activationNames, type NetConfig } from "./net-config.ts";

/** What one look at the activations found. */
export interface Observation {
  readonly scales: Scales; // of every name in activationNames
  readonly residualMax: number; // largest |residual| anywhere
}

/** Share of the values that a scale must not clip. int16 y has room for more: its largest value · 2. */
const KEPT_SHARE = 0.9999;

/** Looks at activations of a batch and proposes scales: int8 from the quantile of |x| that keeps `keptShare`, y from its maximum. */
export function createObserver(
  config: NetConfig,
  keptShare = KEPT_SHARE,
): (parameters: Parameters, batch: Batch, current: Scales | undefined) => Observation {
  const traced = (isQuantized: boolean) =>
    jit((p: Arrays, scales: Arrays, ...input: TracedInput): Arrays => {
      const seen: Arrays = {};
      const observe = (name: string, value: np.Array): void => {
        seen[name === "residual" ? `residual${Object.keys(seen).length}` : name] = value;
      };
      const numerics = { scales: isQuantized ? scales : undefined, observe };
      forward(config, p, netInput(input), numerics);
      return seen;
    });
  const inFloat = traced(false);
  const inInt8 = traced(true);
  const names = activationNames(config);
  return (parameters, batch, current) => {
    const seen = (current ? inInt8 : inFloat)(
      uploadParameters(config, parameters),
      uploadScales(current ?? {}),
      ...uploadBatch(config, batch),
    ) as Arrays;
    const scales: Record<string, number> = {};
    let residualMax = 0;
    for (const [name, array] of Object.entries(seen)) {
      const values = array.dataSync() as Float32Array;
      if (name.startsWith("residual")) residualMax = Math.max(residualMax, quantile(values, 1));
      else if (name.endsWith(".y")) scales[name] = Math.max(1e-6, (2 * quantile(values, 1)) / 32767);
      else scales[name] = Math.max(1e-6, quantile(values, keptShare) / 127);
    }
    for (const name of names) scales[name] ??= 1;
    return { scales, residualMax };
  };
}

/** Moves every scale a share of the way to the observed one. */
export function blendScales(current: Scales | undefined, observed: Scales, share: number): Scales {
  if (!current) return observed;
  return Object.fromEntries(
    Object.entries(observed).map(([name, scale]) => [name, (current[name] ?? scale) * (1 - share) + scale * share]),
  );
}

/** Smallest of 4,096 bin edges below which `share` of the |values| lie; share 1 = the maximum itself. */
function quantile(values: Float32Array, share: number): number {
  let top = 0;
  for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]!));
  if (share >= 1 || top === 0) return top;
  const bins = new Int32Array(4096);
  for (let i = 0; i < values.length; i++) bins[Math.min(4095, Math.floor((Math.abs(values[i]!) / top) * 4096))]!++;
  let left = Math.floor((1 - share) * values.length);
  let bin = 4095;
  while (bin > 0 && left >= bins[bin]!) left -= bins[bin--]!;
  return ((bin + 1) / 4096) * top;
}
