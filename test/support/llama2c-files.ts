import { type ImportedModel, type LlamaCheckpoint, type LlamaMatrix, matrixSize, type TokenizerData } from "../../host/lm/checkpoint.ts";

/** A checkpoint in llama2.c's version 0: float32. */
export function llama2cVersion0({ checkpoint }: ImportedModel): Uint8Array {
  const { shape } = checkpoint;
  const { dim, hidden, layers, heads, kvHeads, vocab, context } = shape;
  const each = (part: LlamaMatrix): Uint8Array[] => parts(checkpoint, part).map(bytesOf);
  const gains = (part: "attention" | "feedForward"): Uint8Array[] =>
    Array.from({ length: layers }, (_, layer) => bytesOf(checkpoint.gain({ layer, part })));
  return Buffer.concat([
    int32s(dim, hidden, layers, heads, kvHeads, shape.tiedHead ? vocab : -vocab, context),
    bytesOf(checkpoint.rows("embedding", 0, vocab)),
    ...gains("attention"),
    ...(["q", "k", "v", "o"] as const).flatMap(each),
    ...gains("feedForward"),
    ...(["gate", "down", "up"] as const).flatMap(each),
    bytesOf(checkpoint.gain("final")),
    new Uint8Array(4 * context * shape.headSize),
    ...(shape.tiedHead ? [] : [bytesOf(checkpoint.rows("head", 0, vocab))]),
  ]);
}

/** A checkpoint in llama2.c's version 2: int8 in groups. */
export function llama2cVersion2({ checkpoint }: ImportedModel, group: number): Uint8Array {
  const { shape } = checkpoint;
  const { dim, hidden, layers, heads, kvHeads, vocab, context } = shape;
  const header = new Uint8Array(256);
  header.set(int32s(0x616b3432, 2, dim, hidden, layers, heads, kvHeads, vocab, context));
  header[36] = shape.tiedHead ? 1 : 0;
  header.set(int32s(group), 37);
  const gains = (part: "attention" | "feedForward"): Uint8Array[] =>
    Array.from({ length: layers }, (_, layer) => bytesOf(checkpoint.gain({ layer, part })));
  return Buffer.concat([
    header,
    ...gains("attention"),
    ...gains("feedForward"),
    bytesOf(checkpoint.gain("final")),
    quantised(checkpoint.rows("embedding", 0, vocab), group),
    ...(["q", "k", "v", "o", "gate", "down", "up"] as const).flatMap((part) =>
      parts(checkpoint, part).map((values) => quantised(values, group)),
    ),
    ...(shape.tiedHead ? [] : [quantised(checkpoint.rows("head", 0, vocab), group)]),
  ]);
}

/** A tokenizer with scores in llama2.c's form. */
export function llama2cTokenizer({ pieces, kinds, merges }: TokenizerData): Uint8Array {
  const hex = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
  const texts = pieces.map((piece, id) => (kinds[id] === "byte" ? Buffer.from(hex(piece[0]!)) : piece));
  const scores = merges.by === "score" ? merges.scores : new Float32Array(pieces.length);
  return Buffer.concat([
    int32s(Math.max(...texts.map((text) => text.length))),
    ...texts.flatMap((text, id) => [bytesOf(scores.slice(id, id + 1)), int32s(text.length), text]),
  ]);
}

function parts(checkpoint: LlamaCheckpoint, part: LlamaMatrix): Float32Array[] {
  return Array.from({ length: checkpoint.shape.layers }, (_, layer) =>
    checkpoint.rows({ layer, part }, 0, matrixSize(checkpoint.shape, { layer, part }).rows),
  );
}

/** int8 values, then a float32 scale for each group. */
function quantised(values: Float32Array, group: number): Uint8Array {
  const q = new Int8Array(values.length);
  const scales = new Float32Array(values.length / group);
  for (let g = 0; g < scales.length; g++) {
    const one = values.subarray(g * group, (g + 1) * group);
    scales[g] = Math.max(...one.map(Math.abs)) / 127;
    one.forEach((value, i) => {
      q[g * group + i] = scales[g] === 0 ? 0 : Math.round(value / scales[g]!);
    });
  }
  return Buffer.concat([new Uint8Array(q.buffer), bytesOf(scales)]);
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.slice().buffer);
}

function int32s(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}
