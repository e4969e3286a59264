import { toFixedScale } from "../../core/arithmetic/fixed-point.ts";
import type { FixedScale, LinearTensors } from "../../core/image/tensor-types.ts";
import { textFeatures } from "../../core/text/text-features.ts";
import type { TextImage } from "../../core/text/text-image.ts";
import type { TextExample } from "../../data/text-example.ts";
import { type BagNet, bagHidden } from "./bag-net.ts";

/** Share of the values of a column that its int8 range holds; the rest is clamped. */
const COVERED = 0.9995;

type Tensors = Pick<TextImage, "rows" | "dModel" | "nClasses" | "table" | "hiddenMultiplier" | "hiddenShift" | "head">;

/**
 * A float net in int8: a scale per column of the table and per column of the hidden vector, whose range is that of `examples`; a scale per
 * row of the head.
 */
export function quantiseBag(net: BagNet, examples: readonly TextExample[]): Tensors {
  const { rows, dModel, labels } = net;
  const tableScales = columnScales(net.table, dModel);
  const table = Int8Array.from(net.table, (value, i) => toS8(value / tableScales[i % dModel]!));
  const hidden = new Float32Array(examples.length * dModel);
  for (const [i, { text }] of examples.entries()) hidden.set(bagHidden(net, textFeatures(text).hashes), i * dModel);
  const hiddenScales = columnScales(hidden, dModel);
  const scales = hiddenScales.map((scale, k) => toFixedScale(tableScales[k]! / (32768 * scale)));
  return {
    rows,
    dModel,
    nClasses: labels.length,
    table,
    hiddenMultiplier: Int32Array.from(scales, ({ multiplier }) => multiplier),
    hiddenShift: Int8Array.from(scales, ({ shift }) => shift),
    head: quantiseHead(net, hiddenScales),
  };
}

/** Per column the value that stands for 127: all but the few largest magnitudes lie within. */
function columnScales(values: Float32Array, n: number): number[] {
  return Array.from({ length: n }, (_, k) => {
    const column = Float32Array.from({ length: values.length / n }, (_, i) => Math.abs(values[i * n + k]!)).sort();
    return Math.max(column[Math.floor(COVERED * (column.length - 1))]!, 1e-6) / 127;
  });
}

function toS8(value: number): number {
  return Math.max(-127, Math.min(127, Math.round(value)));
}

function quantiseHead({ weights, bias, dModel, labels }: BagNet, hiddenScales: readonly number[]): LinearTensors {
  const quantised = new Int8Array(weights.length);
  const biases = new Int32Array(labels.length);
  const scales = labels.map((_, c): FixedScale => {
    const row = hiddenScales.map((scale, k) => weights[c * dModel + k]! * scale);
    const scale = Math.max(...row.map(Math.abs), 1e-9) / 127;
    for (const [k, value] of row.entries()) quantised[c * dModel + k] = toS8(value / scale);
    biases[c] = Math.round(bias[c]! / scale);
    return toFixedScale(scale * 1024);
  });
  return {
    nIn: dModel,
    nOut: labels.length,
    weights: quantised,
    bias: biases,
    multiplier: Int32Array.from(scales, ({ multiplier }) => multiplier),
    shift: Int8Array.from(scales, ({ shift }) => shift),
  };
}
