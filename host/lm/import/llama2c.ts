import { type GainName, type LlamaCheckpoint, type LlamaMatrix, type LlamaShape, type MatrixName, matrixSize } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { checkShape, headSizeOf } from "./llama-shape.ts";
import { storedCheckpoint } from "./stored-checkpoint.ts";
import { groupedTensor, plainTensor, type StoredTensor } from "./stored-tensor.ts";
import type { WeightFile } from "./weight-file.ts";

/** First word of llama2.c's newer files: "ak42". */
export const versionedMagic = 0x616b3432;
const headerWords = 7;
const versionedHeaderBytes = 256;

/** Opens a llama2.c checkpoint: version 0 (float32, no magic) or version 2 (int8 in groups). Format: llama2.c's export.py. */
export function openLlama2c(file: WeightFile): LlamaCheckpoint {
  const start = file.read(0, 4, "header");
  return wordsOf(start)[0] === versionedMagic ? openVersion2(file) : openVersion0(file);
}

function openVersion0(file: WeightFile): LlamaCheckpoint {
  const words = wordsOf(file.read(0, 4 * headerWords, "header of 7 int32"));
  checkByteOrder(file, words);
  const shape = shapeOf(file, words, words[5]! > 0);
  const matrices = (part: LlamaMatrix): Part => ({ part, tensors: shape.layers });
  const order: Part[] = [
    { part: "embedding", tensors: 1 },
    { part: "attention", tensors: shape.layers },
    ...(["q", "k", "v", "o"] as const).map(matrices),
    { part: "feedForward", tensors: shape.layers },
    ...(["gate", "down", "up"] as const).map(matrices),
    { part: "final", tensors: 1 },
    { part: "rotations", tensors: 2 },
    ...(shape.tiedHead ? [] : [{ part: "head", tensors: 1 } as const]),
  ];
  return laidOut(file, shape, 4 * headerWords, order, (name, at, rows, columns) => ({
    tensor: plainTensor(file, name, "F32", at, rows, columns),
    bytes: 4 * rows * columns,
  }));
}

function openVersion2(file: WeightFile): LlamaCheckpoint {
  const header = file.read(0, versionedHeaderBytes, "header of 256 bytes");
  const view = new DataView(header.buffer);
  const version = view.getInt32(4, true);
  if (version !== 2)
    throw new CheckpointError(
      "CHECKPOINT_FORMAT",
      `${file.path}: llama2.c version ${version}; 0 (float32) or 2 (int8) expected. Export it again with --version 0 or 2.`,
    );
  const shape = shapeOf(file, wordsOf(header.subarray(8, 8 + 4 * headerWords)), view.getUint8(36) !== 0);
  const group = view.getInt32(37, true);
  if (group < 1 || group > 65_536)
    throw new CheckpointError("CHECKPOINT_SHAPE", `${file.path}: groups of ${group} elements; 1 to 65,536 expected.`);
  const order: Part[] = [
    { part: "attention", tensors: shape.layers },
    { part: "feedForward", tensors: shape.layers },
    { part: "final", tensors: 1 },
    { part: "embedding", tensors: 1 },
    ...(["q", "k", "v", "o", "gate", "down", "up"] as const).map((part) => ({ part, tensors: shape.layers })),
    ...(shape.tiedHead ? [] : [{ part: "head", tensors: 1 } as const]),
  ];
  return laidOut(file, shape, versionedHeaderBytes, order, (name, at, rows, columns, isGain) => {
    if (isGain) return { tensor: plainTensor(file, name, "F32", at, rows, columns), bytes: 4 * rows * columns };
    const elements = rows * columns;
    if (elements % group !== 0)
      throw new CheckpointError(
        "CHECKPOINT_SHAPE",
        `${file.path}: tensor ${name} has ${elements} elements; whole groups of ${group} expected.`,
      );
    return { tensor: groupedTensor(file, name, at, rows, columns, group), bytes: elements + (4 * elements) / group };
  });
}

type Part = {
  readonly part: LlamaMatrix | "embedding" | "head" | "attention" | "feedForward" | "final" | "rotations";
  readonly tensors: number;
};
type Place = (name: string, at: number, rows: number, columns: number, isGain: boolean) => { tensor: StoredTensor; bytes: number };

/** Lays the parts out one after the other. The file must end with the last: the format has no other check. */
function laidOut(file: WeightFile, shape: LlamaShape, start: number, order: readonly Part[], place: Place): LlamaCheckpoint {
  const tensors = new Map<string, StoredTensor>();
  let at = start;
  for (const { part, tensors: count } of order)
    for (let layer = 0; layer < count; layer++) {
      const { rows, columns, isGain } = sizeOf(shape, part);
      const name = `${part}.${layer}`;
      const { tensor, bytes } = place(name, at, rows, columns, isGain);
      tensors.set(name, tensor);
      at += bytes;
    }
  if (at !== file.byteLength) {
    const sizes = `dim ${shape.dim}, hidden ${shape.hidden}, ${shape.layers} layers, vocabulary ${shape.vocab}, context ${shape.context}`;
    throw new CheckpointError(
      at > file.byteLength ? "CHECKPOINT_SHORT" : "CHECKPOINT_FORMAT",
      `${file.path}: ${file.byteLength} bytes; its header (${sizes}) makes ${at}. Copy the file again; check that it is a llama2.c checkpoint.`,
    );
  }
  const find = (name: MatrixName | GainName): StoredTensor =>
    tensors.get(typeof name === "string" ? `${name}.0` : `${name.part}.${name.layer}`)!;
  return storedCheckpoint(file, shape, { matrix: find, gain: find, hasHalves: false });
}

function sizeOf(shape: LlamaShape, part: Part["part"]): { rows: number; columns: number; isGain: boolean } {
  switch (part) {
    case "attention":
    case "feedForward":
    case "final":
      return { rows: 1, columns: shape.dim, isGain: true };
    case "rotations": // RoPE's sines and cosines, which nobody reads any more
      return { rows: shape.context, columns: shape.headSize / 2, isGain: true };
    case "embedding":
    case "head":
      return { ...matrixSize(shape, part), isGain: false };
    default:
      return { ...matrixSize(shape, { layer: 0, part }), isGain: false };
  }
}

/** The shape of the header's seven int32. A negative vocabulary says, in version 0, that the head has its own matrix. */
function shapeOf(file: WeightFile, words: Int32Array, tiedHead: boolean): LlamaShape {
  const [dim, hidden, layers, heads, kvHeads, vocab, context] = words as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return checkShape(file.path, {
    dim,
    hidden,
    layers,
    heads,
    kvHeads,
    headSize: headSizeOf(file.path, dim, heads),
    vocab: Math.abs(vocab),
    context,
    ropeTheta: 10_000,
    normEpsilon: 1e-5,
    tiedHead,
  });
}

/** Sizes that make sense only with their bytes turned round come from a machine of the other byte order. */
function checkByteOrder(file: WeightFile, words: Int32Array): void {
  const isSmall = (word: number): boolean => word > 0 && word < 65_536;
  const turned = new DataView(words.buffer, words.byteOffset, words.byteLength);
  const first = [0, 1, 2, 3, 4];
  if (first.some((i) => isSmall(words[i]!)) || !first.every((i) => isSmall(turned.getInt32(4 * i, false)))) return;
  throw new CheckpointError(
    "CHECKPOINT_BYTE_ORDER",
    `${file.path}: the header is big-endian; little-endian expected. Export it again on a little-endian machine.`,
  );
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length: Math.floor(bytes.byteLength / 4) }, (_, i) => view.getInt32(4 * i, true));
}
