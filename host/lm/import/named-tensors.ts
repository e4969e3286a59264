import { type GainName, type LlamaMatrix, type LlamaShape, type MatrixName, matrixSize } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import type { TensorIndex } from "./stored-checkpoint.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** What a format calls the tensors of a Llama. */
export type TensorNames = {
  readonly embedding: string;
  readonly head: string;
  readonly finalGain: string;
  matrix(layer: number, part: LlamaMatrix): string;
  gain(layer: number, part: "attention" | "feedForward"): string;
};

const parts: readonly LlamaMatrix[] = ["q", "k", "v", "o", "gate", "up", "down"];

/**
 * Finds every tensor that the shape asks for. Throws CHECKPOINT_TENSOR_MISSING, CHECKPOINT_TENSOR_SHAPE, and CHECKPOINT_TENSOR_UNKNOWN for
 * one that is there besides: the model that it belongs to computes more than a Llama.
 */
export function indexTensors(
  path: string,
  shape: LlamaShape,
  tensors: ReadonlyMap<string, StoredTensor>,
  names: TensorNames,
): Pick<TensorIndex, "matrix" | "gain"> {
  const matrixName = (name: MatrixName): string => (typeof name === "string" ? names[name] : names.matrix(name.layer, name.part));
  const gainName = (name: GainName): string => (name === "final" ? names.finalGain : names.gain(name.layer, name.part));
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  const matrices: MatrixName[] = [
    "embedding",
    ...(shape.tiedHead ? [] : (["head"] as const)),
    ...layers.flatMap((layer) => parts.map((part) => ({ layer, part }))),
  ];
  const gains: GainName[] = [
    "final",
    ...layers.flatMap((layer) => (["attention", "feedForward"] as const).map((part) => ({ layer, part }))),
  ];
  const expected = new Map([
    ...matrices.map((name) => [matrixName(name), matrixSize(shape, name)] as const),
    ...gains.map((name) => [gainName(name), { rows: 1, columns: shape.dim }] as const),
  ]);
  for (const [name, { rows, columns }] of expected) {
    const tensor = tensors.get(name);
    if (tensor === undefined)
      throw new CheckpointError(
        "CHECKPOINT_TENSOR_MISSING",
        `${path}: tensor ${name} is missing; ${rows} × ${columns} expected. Export it again.`,
      );
    if (tensor.rows !== rows || tensor.columns !== columns)
      throw new CheckpointError(
        "CHECKPOINT_TENSOR_SHAPE",
        `${path}: tensor ${name} is ${tensor.rows} × ${tensor.columns}; ${rows} × ${columns} expected. Check that its header belongs to it.`,
      );
  }
  const extra = [...tensors.keys()].find((name) => !expected.has(name));
  if (extra !== undefined)
    throw new CheckpointError(
      "CHECKPOINT_TENSOR_UNKNOWN",
      `${path}: tensor ${extra} is none of a plain Llama's (RMSNorm, RoPE, grouped queries, SwiGLU, no biases). Import such a model.`,
    );
  return { matrix: (name) => tensors.get(matrixName(name))!, gain: (name) => tensors.get(gainName(name))! };
}
