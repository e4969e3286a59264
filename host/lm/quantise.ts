import * as lm from "../../assembly/lm/layout.ts";
import { align16 } from "../core/arithmetic/align.ts";
import { sealImage } from "../core/image/image-header.ts";
import { ModelError } from "../core/system/errors.ts";
import { type LlamaCheckpoint, type LlamaMatrix, type MatrixName, matrixSize } from "./checkpoint.ts";
import { scaleOf } from "./fixed-scale.ts";
import type { RecordPlan } from "./image-fields.ts";
import { planImage } from "./image-plan.ts";
import { encodeLanguageManifest } from "./manifest.ts";

export interface QuantiseOptions {
  /** The model's name in its manifest. */
  readonly name: string;
  /** Default: "". */
  readonly source?: string;
  /** Default: "". */
  readonly licence?: string;
  /** The TOKENIZER section's bytes; the core does not read them. Default: none. */
  readonly tokenizer?: Uint8Array;
  /** The largest |residual| that a float run over sample tokens has seen. Default: 4096, the most at 16 fractional bits. */
  readonly residualMax?: number;
  /** Columns of a block's matrices that share a scale; 0: a whole row does. Default: 0. */
  readonly groups?: 0 | 32 | 64;
  /** Called after each block. */
  readonly onBlock?: () => void;
}

const LEVELS = 127; // of int8 on either side of 0
const ROW_ONE = 32767; // mantissa of a matrix's largest row
const GROUP_ONE = 255; // factor of a row's largest group
const CHUNK_ROWS = 64; // rows that are read at a time
const STATIC_MARGIN = 1.05; // of the ring's units, for what quantising adds to a key or value

/**
 * Quantises a checkpoint to an image: int8 with a scale per row, each matrix read twice. Bounded by the image and a few rows of floats.
 * Throws ModelError for a shape or weights that the core cannot run.
 */
export function quantiseLlama(checkpoint: LlamaCheckpoint, options: QuantiseOptions): Uint8Array {
  const { shape } = checkpoint;
  const plan = planImage(shape, {
    residualBits: residualBitsOf(options.residualMax ?? 4096),
    tokenizer: options.tokenizer ?? new Uint8Array(0),
    groupSize: options.groups ?? 0,
    manifest: encodeLanguageManifest({
      name: options.name,
      source: options.source ?? "",
      licence: options.licence ?? "",
      parameters: parametersOf(checkpoint),
    }),
  });
  const image = new Uint8Array(plan.imageBytes);
  const writer = new MatrixWriter(checkpoint, image, options.groups ?? 0);
  const { input, head, blocks } = plan;

  const embedding = writer.matrix(input, "embedding", ["embedding"])[0]!;
  input.setScale("embedding", scaleOf(embedding.scale));
  const ropeSteps = new Uint32Array(image.buffer, input.placeOf("ropeSteps"), shape.headSize / 2);
  for (const i of ropeSteps.keys()) ropeSteps[i] = Math.round((2 ** 32 * shape.ropeTheta ** ((-2 * i) / shape.headSize)) / (2 * Math.PI));

  const sizes = Math.sqrt(shape.dim) * STATIC_MARGIN; // ‖x‖ of a normed vector, times the margin
  for (const [layer, block] of blocks.entries()) {
    const part = (name: LlamaMatrix): MatrixName => ({ layer, part: name });
    const attentionGain = writer.gain(block, "attentionGain", { layer, part: "attention" });
    const [q, k, v] = writer.matrix(block, "qkv", [part("q"), part("k"), part("v")], attentionGain);
    block.setScale("qkv", scaleOf((q!.scale * Math.LOG2E) / Math.sqrt(shape.headSize) / LEVELS ** 2));
    block.setScale("k", scaleOf(k!.scale / LEVELS));
    block.setScale("v", scaleOf(v!.scale / LEVELS));
    block.setWord("keyUnit", unitOf(sizes * largestPair(k!.norms)));
    block.setWord("valueUnit", unitOf(sizes * Math.max(...v!.norms)));
    block.setScale("out", scaleOf(writer.matrix(block, "out", [part("o")])[0]!.scale / LEVELS ** 2));
    writer.gain(block, "mlpGain", { layer, part: "feedForward" });
    const [gate, up] = writer.matrix(block, "gateUp", [part("gate"), part("up")]);
    block.setScale("gateUp", scaleOf(gate!.scale / LEVELS));
    block.setScale("up", scaleOf(up!.scale / LEVELS));
    block.setScale("down", scaleOf(writer.matrix(block, "down", [part("down")])[0]!.scale / LEVELS));
    options.onBlock?.();
  }
  writer.gain(head, "gain", "final");
  const scale = shape.tiedHead ? embedding.scale : writer.matrix(head, "head", ["head"])[0]!.scale;
  head.setScale("head", scaleOf(scale / LEVELS));
  plan.finish(image);
  sealImage(image);
  return image;
}

/** Fractional bits of the residual: 16 up to 2^12, one less for each doubling beyond it. */
function residualBitsOf(largest: number): number {
  const bits = lm.LM_RESIDUAL_BITS_MAX - Math.max(0, Math.ceil(Math.log2(largest / 4096)));
  if (bits >= lm.LM_RESIDUAL_BITS_MIN) return bits;
  throw new ModelError(
    "RESIDUAL_TOO_LARGE",
    `the residual stream reaches ${largest}, which needs ${bits} fractional bits; the core has at least ${lm.LM_RESIDUAL_BITS_MIN}. Use the float engine.`,
  );
}

function parametersOf({ shape }: LlamaCheckpoint): number {
  const parts: readonly LlamaMatrix[] = ["q", "k", "v", "o", "gate", "up", "down"];
  const size = (name: MatrixName): number => matrixSize(shape, name).rows * matrixSize(shape, name).columns;
  const layer = parts.reduce((sum, part) => sum + size({ layer: 0, part }), 2 * shape.dim);
  return layer * shape.layers + shape.dim + size("embedding") * (shape.tiedHead ? 1 : 2);
}

/** The exponent of a ring's unit: 15 bits hold `largest`. */
function unitOf(largest: number): number {
  return Math.ceil(Math.log2(Math.max(largest, 2 ** -40))) - 15;
}

/** The largest norm of two rows that RoPE turns together: rotation keeps it. */
function largestPair(norms: Float64Array): number {
  let most = 0;
  for (let i = 0; i < norms.length; i += 2) most = Math.max(most, Math.hypot(norms[i]!, norms[i + 1]!));
  return most;
}

interface Written {
  /** weights · rows/2^15 · scale is the matrix. */
  readonly scale: number;
  /** ‖row ⊙ gain‖ of each row. */
  readonly norms: Float64Array;
}

/** Reads matrices in chunks of rows and writes them as int8 at the places that a record's plan has for them. */
class MatrixWriter {
  readonly #checkpoint: LlamaCheckpoint;
  readonly #image: Uint8Array;
  readonly #groupSize: number;

  constructor(checkpoint: LlamaCheckpoint, image: Uint8Array, groupSize: number) {
    this.#checkpoint = checkpoint;
    this.#image = image;
    this.#groupSize = groupSize;
  }

  /** Rows of `parts` one after the other; each part has a scale of its own, its largest row at ROW_ONE. */
  matrix(record: RecordPlan, field: string, parts: readonly MatrixName[], gain?: Float32Array): Written[] {
    const sizes = parts.map((name) => matrixSize(this.#checkpoint.shape, name));
    const nOut = sizes.reduce((sum, { rows }) => sum + rows, 0);
    const rowsAt = record.placeOf(field, 1);
    const groupsAt = record.groupsOf(field);
    const groupSize = groupsAt === 0 ? sizes[0]!.columns : this.#groupSize;
    let before = 0; // rows of the parts before
    return parts.map((name, i) => {
      const { rows } = sizes[i]!;
      const scales = new Float64Array(rows);
      const norms = new Float64Array(rows);
      this.#eachRow(name, (row, r) => {
        scales[r] = (largest(row) / LEVELS) * (groupsAt === 0 ? 1 : 256 / GROUP_ONE);
        norms[r] = gain === undefined ? 0 : normOf(row, gain);
      });
      const most = scales.reduce((a, b) => Math.max(a, b), 0) || 2 ** -20; // an empty matrix has any scale
      const unit = most / ROW_ONE;
      const mantissas = new Int16Array(this.#image.buffer, rowsAt + 2 * before, rows);
      const place = { weightsAt: record.placeOf(field, 0), groupsAt, groupSize, nOut };
      // Rounded up, so that no weight is cut; the weights are steps of the scale as it is stored.
      this.#eachRow(name, (row, r) => {
        mantissas[r] = Math.min(ROW_ONE, Math.ceil(scales[r]! / unit));
        this.#writeRow(row, mantissas[r] * unit, { ...place, row: before + r });
      });
      before += rows;
      return { scale: unit * 2 ** 15, norms };
    });
  }

  /** Reads a matrix a few rows at a time. */
  #eachRow(name: MatrixName, use: (row: Float32Array, r: number) => void): void {
    const { rows, columns } = matrixSize(this.#checkpoint.shape, name);
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const to = Math.min(rows, from + CHUNK_ROWS);
      const values = this.#checkpoint.rows(name, from, to);
      for (let r = from; r < to; r++) use(values.subarray((r - from) * columns, (r - from + 1) * columns), r);
    }
  }

  /** One row as int8, its groups of columns where they belong. */
  #writeRow(row: Float32Array, scale: number, place: RowPlace): void {
    const { groupSize, groupsAt, nOut } = place;
    for (let from = 0, group = 0; from < row.length; from += groupSize, group++) {
      const part = row.subarray(from, from + groupSize);
      // A group's factor is in 1/256 of the row's scale, rounded up: 255 in the group of the largest.
      const factor = scale === 0 ? 0 : Math.min(GROUP_ONE, Math.ceil((largest(part) / LEVELS / scale) * 256));
      if (groupsAt !== 0) this.#image[groupsAt + group * nOut + place.row] = factor;
      const step = groupsAt === 0 ? scale : (scale * factor) / 256;
      const at = place.weightsAt + from * nOut + place.row * align16(part.length);
      const weights = new Int8Array(this.#image.buffer, at, part.length);
      if (step > 0) for (let i = 0; i < part.length; i++) weights[i] = Math.round(part[i]! / step);
    }
  }

  gain(record: RecordPlan, field: string, name: Parameters<LlamaCheckpoint["gain"]>[0]): Float32Array {
    const gain = this.#checkpoint.gain(name);
    const most = gain.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 2 ** -20;
    const values = new Int16Array(this.#image.buffer, record.placeOf(field), gain.length);
    for (const [i, value] of gain.entries()) values[i] = Math.round((value / most) * ROW_ONE);
    record.setScale(field, scaleOf((most * 2 ** 15) / ROW_ONE));
    return gain;
  }
}

interface RowPlace {
  readonly weightsAt: number; // of the matrix
  readonly groupsAt: number; // of its factors; 0: none
  readonly groupSize: number;
  readonly row: number;
  readonly nOut: number;
}

function largest(values: Float32Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

function normOf(row: Float32Array, gain: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += (row[i]! * gain[i]!) ** 2;
  return Math.sqrt(sum);
}
