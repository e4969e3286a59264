import { align16 } from "../core/arithmetic/align.ts";
import { type GainName, type LlamaCheckpoint, type LlamaMatrix, type LlamaShape, type MatrixName, matrixSize } from "./checkpoint.ts";
import type { Gain, Matrix, Scale } from "./image-fields.ts";
import type { LanguageImage } from "./image-read.ts";

const LEVELS = 127; // of int8 on either side of 0
const ROW_ONE = 2 ** 15;

/** Rows of a matrix in an image, and what one unit of weights · rows/2^15 is worth once the factors that the image folds in are out. */
type Place = { readonly matrix: Matrix; readonly from: number; readonly unit: number };

/** A language image's weights in float32: int8 times its scales, nothing else of the integer arithmetic. */
export function imageCheckpoint(image: LanguageImage): LlamaCheckpoint {
  const shape = shapeOf(image);
  return {
    shape,
    rows(name, from, to) {
      const { matrix, from: first, unit } = placeOf(image, shape, name);
      const { columns } = matrixSize(shape, name);
      const values = new Float32Array((to - from) * columns);
      for (let row = from; row < to; row++) {
        const scale = (matrix.rows[first + row]! / ROW_ONE) * unit;
        for (let i = 0; i < columns; i++) values[(row - from) * columns + i] = weightAt(matrix, first + row, i) * scale;
      }
      return values;
    },
    gain(name) {
      const { values, scale } = gainOf(image, name);
      return Float32Array.from(values, (value) => (value / ROW_ONE) * realOf(scale));
    },
    close() {},
  };
}

/** A weight as stored, times its group's factor if the matrix has groups. */
function weightAt({ weights, nIn, nOut, groups }: Matrix, row: number, column: number): number {
  if (groups === undefined) return weights[row * align16(nIn) + column]!;
  const { size, factors } = groups;
  const group = Math.floor(column / size);
  const first = group * size;
  const stride = align16(Math.min(size, nIn - first));
  return (weights[first * nOut + row * stride + column - first]! * factors[group * nOut + row]!) / 256;
}

function shapeOf(image: LanguageImage): LlamaShape {
  const { dModel, vocabulary, context, residualBits, headSize, epsilon, ropeSteps, head } = image;
  const { nHeads, nKvHeads, hidden } = image.blocks[0]!;
  return {
    dim: dModel,
    hidden,
    layers: image.blocks.length,
    heads: nHeads,
    kvHeads: nKvHeads,
    headSize,
    vocab: vocabulary,
    context,
    ropeTheta: (ropeSteps[0]! / ropeSteps[1]!) ** (headSize / 2),
    normEpsilon: epsilon / dModel / 4 ** residualBits,
    tiedHead: !("weights" in head),
  };
}

function placeOf({ embedding, head, blocks }: LanguageImage, shape: LlamaShape, name: MatrixName): Place {
  if (name === "embedding" || (name === "head" && !("weights" in head)))
    return { matrix: embedding, from: 0, unit: realOf(embedding.scale) };
  if (name === "head") return { matrix: head as Matrix, from: 0, unit: realOf(head.scale) * LEVELS };
  const block = blocks[name.layer]!;
  const [queries, keys] = [shape.heads * shape.headSize, shape.kvHeads * shape.headSize];
  const place = (matrix: Matrix, scale: Scale, factor: number, from = 0): Place => ({ matrix, from, unit: realOf(scale) * factor });
  const places: Record<LlamaMatrix, () => Place> = {
    q: () => place(block.qkv, block.qkv.scale, LEVELS ** 2 * Math.sqrt(shape.headSize) * Math.LN2),
    k: () => place(block.qkv, block.k, LEVELS, queries),
    v: () => place(block.qkv, block.v, LEVELS, queries + keys),
    o: () => place(block.out, block.out.scale, LEVELS ** 2),
    gate: () => place(block.gateUp, block.gateUp.scale, LEVELS),
    up: () => place(block.gateUp, block.up, LEVELS, shape.hidden),
    down: () => place(block.down, block.down.scale, LEVELS),
  };
  return places[name.part]();
}

function gainOf({ gain, blocks }: LanguageImage, name: GainName): Gain {
  if (name === "final") return gain;
  const block = blocks[name.layer]!;
  return name.part === "attention" ? block.attentionGain : block.mlpGain;
}

function realOf({ mantissa, exponent }: Scale): number {
  return mantissa * 2 ** exponent;
}
