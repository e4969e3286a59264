import { toFixedScale } from "../core/arithmetic/fixed-point.ts";
import type { LinearTensors } from "../core/image/tensor-types.ts";
import type { Parameters, Scales } from "./layers.ts";
import { NORM_EPSILON } from "./net-constants.ts";

// From trained numbers to the integers of an image. Arithmetic: assembly/README.md.

/** One scale per output row, or the same for all rows of a matrix. */
export type WeightScales = "row" | "tensor";

/** What every layer of an export shares. */
export interface Exporter {
  readonly net: { readonly config: { readonly dModel: number }; readonly parameters: Parameters; readonly scales: Scales };
  readonly weightScales: WeightScales;
  readonly residualScale: number; // real value of one step of the int16 residual
}

/** Largest |bias| in accumulator steps: below it a sum of 512 products cannot leave int32. */
const BIAS_LIMIT = 2 ** 26;

/** Stacks (nIn, n) parameter matrices into (nOut, nIn) int8 rows, a scale each or per matrix; `outScales` holds one per matrix. */
export function quantizeLinear(
  { net, weightScales }: Exporter,
  names: readonly string[],
  inScale: number,
  outScales: readonly number[],
): LinearTensors {
  const sizes = names.map((name) => net.parameters[`${name}.b`]!.length);
  const nOut = sizes.reduce((sum, size) => sum + size, 0);
  const nIn = net.parameters[`${names[0]}.w`]!.length / sizes[0]!;
  const weights = new Int8Array(nOut * nIn);
  const bias = new Int32Array(nOut);
  const multiplier = new Int32Array(nOut);
  const shift = new Int8Array(nOut);
  let row = 0;
  names.forEach((name, part) => {
    const w = net.parameters[`${name}.w`]!;
    const b = net.parameters[`${name}.b`]!;
    const most = w.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    for (let o = 0; o < sizes[part]!; o++, row++) {
      let top = weightScales === "tensor" ? most : 0;
      for (let k = 0; k < nIn; k++) top = Math.max(top, Math.abs(w[k * sizes[part]! + o]!));
      const scale = Math.max(top / 127, Math.abs(b[o]!) / inScale / BIAS_LIMIT, 1e-8);
      for (let k = 0; k < nIn; k++)
        weights[row * nIn + k] = Math.max(-127, Math.min(127, Math.floor(w[k * sizes[part]! + o]! / scale + 0.5)));
      bias[row] = Math.floor(b[o]! / (inScale * scale) + 0.5);
      const fixed = toFixedScale((inScale * scale) / outScales[part]!);
      multiplier[row] = fixed.multiplier;
      shift[row] = fixed.shift;
    }
  });
  return { nIn, nOut, weights, bias, multiplier, shift };
}

/** (rows, columns) → (columns, rows). */
export function transpose(values: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!;
  return result;
}

/** int8 q → int8 silu(q · inScale) / outScale, indexed by q + 128. */
export function siluTable(inScale: number, outScale: number): Int8Array {
  return Int8Array.from({ length: 256 }, (_, index) => {
    const x = (index - 128) * inScale;
    return Math.max(-128, Math.min(127, Math.floor(x / (1 + Math.exp(-x)) / outScale + 0.5)));
  });
}

/** The norm's ε on a mean square of reals, as the core adds it to a sum of n squares of integers. */
export function integerEpsilon(n: number, scale: number): number {
  return Math.max(1, Math.min(2 ** 31 - 1, Math.round((NORM_EPSILON * n) / (scale * scale))));
}
