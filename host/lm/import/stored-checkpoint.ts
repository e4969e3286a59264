import type { GainName, LlamaCheckpoint, LlamaShape, MatrixName } from "../checkpoint.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import type { WeightFile } from "./weight-file.ts";

/** Where a format keeps the tensors of a checkpoint; they have been checked against the shape. */
export type TensorIndex = {
  matrix(name: MatrixName): StoredTensor;
  gain(name: GainName): StoredTensor;
  /** q and k have RoPE's pairs as halves of a head, (i, i + headSize / 2): Hugging Face's order. */
  readonly hasHalves: boolean;
};

/** A checkpoint over tensors in a file. */
export function storedCheckpoint(file: WeightFile, shape: LlamaShape, index: TensorIndex): LlamaCheckpoint {
  return {
    shape,
    rows(name, from, to) {
      const tensor = index.matrix(name === "head" && shape.tiedHead ? "embedding" : name);
      const isTurned = typeof name === "object" && (name.part === "q" || name.part === "k");
      return isTurned && index.hasHalves ? interleavedRows(tensor, shape.headSize, from, to) : tensor.read(from, to);
    },
    gain: (name) => index.gain(name).read(0, 1),
    close: () => file.close(),
  };
}

/** Rows from…to−1 of the interleaved order, read from a tensor in halves: row 2i + h of a head is row i + h · headSize / 2 of it. */
function interleavedRows(tensor: StoredTensor, headSize: number, from: number, to: number): Float32Array {
  const values = new Float32Array((to - from) * tensor.columns);
  for (let row = from; row < to; row++) {
    const inHead = row % headSize;
    const stored = row - inHead + Math.floor(inHead / 2) + (inHead % 2) * (headSize / 2);
    values.set(tensor.read(stored, stored + 1), (row - from) * tensor.columns);
  }
  return values;
}
