import { CheckpointError } from "./checkpoint-error.ts";
import { decodeElements, type ElementType, elementLayout } from "./element-types.ts";
import type { WeightFile } from "./weight-file.ts";

/** A matrix in a file. A vector is one row. */
export type StoredTensor = {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Rows from…to−1, row-major. Throws CHECKPOINT_NOT_FINITE. */
  read(from: number, to: number): Float32Array;
};

/** Rows of one element type, one after the other from byte `at`. The columns must be whole blocks of the type. */
export function plainTensor(file: WeightFile, name: string, type: ElementType, at: number, rows: number, columns: number): StoredTensor {
  const rowBytes = tensorBytes(type, 1, columns);
  return {
    name,
    rows,
    columns,
    read(from, to) {
      const bytes = file.read(at + from * rowBytes, (to - from) * rowBytes, `tensor ${name}`);
      return finite(file, name, columns, from, decodeElements(type, bytes, (to - from) * columns));
    },
  };
}

/** llama2.c's int8: all elements, then one float32 scale for each `group` of them, whatever the rows are. */
export function groupedTensor(file: WeightFile, name: string, at: number, rows: number, columns: number, group: number): StoredTensor {
  const scalesAt = at + rows * columns;
  return {
    name,
    rows,
    columns,
    read(from, to) {
      const first = from * columns;
      const count = (to - from) * columns;
      const firstScale = Math.floor(first / group);
      const scaleCount = Math.ceil((first + count) / group) - firstScale;
      const quantised = new Int8Array(file.read(at + first, count, `tensor ${name}`).buffer);
      const bytes = file.read(scalesAt + 4 * firstScale, 4 * scaleCount, `scales of tensor ${name}`);
      const scales = decodeElements("F32", bytes, scaleCount);
      const values = Float32Array.from(quantised, (q, i) => q * scales[Math.floor((first + i) / group) - firstScale]!);
      return finite(file, name, columns, from, values);
    },
  };
}

/** Bytes of a tensor whose columns are whole blocks of the type. */
export function tensorBytes(type: ElementType, rows: number, columns: number): number {
  const { elements, bytes } = elementLayout[type];
  return rows * (columns / elements) * bytes;
}

function finite(file: WeightFile, name: string, columns: number, from: number, values: Float32Array): Float32Array {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return values;
  const place = `row ${from + Math.floor(bad / columns)}, column ${bad % columns}`;
  throw new CheckpointError(
    "CHECKPOINT_NOT_FINITE",
    `${file.path}: tensor ${name} holds ${values[bad]} at ${place}; finite weights expected. Copy the file again, or export it again.`,
  );
}
