import { z } from "zod";
import { checked } from "../../core/system/checked.ts";
import { ConfigError } from "../../core/system/errors.ts";

/** A dense layer: weights (rows, columns) int8 with one scale per row, bias (rows,) float. */
export interface DenseS8 {
  readonly rows: number;
  readonly columns: number;
  readonly weights: Int8Array;
  readonly scales: Float32Array;
  readonly bias: Float32Array;
}

/** A classifier on sentence vectors: tanh(W₁x + b₁) → W₂h + b₂ → softmax at a temperature. */
export interface IntentHead {
  readonly encoder: string; // whose vectors it reads
  readonly labels: readonly string[];
  readonly outOfScope: readonly string[];
  readonly temperature: number;
  /** Least probability of the mean with the net on words at which the worker is sure; from validation alone. */
  readonly threshold: number;
  readonly layers: readonly [DenseS8, DenseS8];
}

const base64 = z.base64().max(2_000_000);
const layer = z.strictObject({
  rows: z.int().min(1).max(4096),
  columns: z.int().min(1).max(4096),
  weights: base64,
  scales: base64,
  bias: base64,
});
const schema = z.strictObject({
  version: z.literal(1),
  encoder: z.string(),
  labels: z.array(z.string().min(1).max(64)).min(2).max(1024),
  outOfScope: z.array(z.string()),
  temperature: z.number().min(0.01).max(100),
  threshold: z.number().min(0).max(1),
  layers: z.tuple([layer, layer]),
});

/** Reads a head from its file's text. Throws ConfigError INTENTS_HEAD_INVALID. */
export function readHead(text: string): IntentHead {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid("it is not JSON", cause);
  }
  const { layers, ...head } = checked(
    schema,
    value,
    "INTENTS_HEAD_INVALID",
    "the intents head is not valid",
    "Train it again, or reinstall.",
  );
  const [first, second] = layers.map(readLayer) as [DenseS8, DenseS8];
  if (second.columns !== first.rows || second.rows !== head.labels.length)
    throw invalid(
      `layers of ${first.rows} × ${first.columns} and ${second.rows} × ${second.columns} do not fit ${head.labels.length} labels`,
    );
  return { ...head, layers: [first, second] };
}

/** A head as its file's text. */
export function writeHead({ layers, ...head }: IntentHead): string {
  const bytes = (array: Int8Array | Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
  const written = layers.map((one) => ({ ...one, weights: bytes(one.weights), scales: bytes(one.scales), bias: bytes(one.bias) }));
  return `${JSON.stringify({ version: 1, ...head, layers: written })}\n`;
}

function readLayer({ rows, columns, ...parts }: z.output<typeof layer>): DenseS8 {
  const weights = Buffer.from(parts.weights, "base64");
  const [scales, bias] = [parts.scales, parts.bias].map((part) => {
    const bytes = Buffer.from(part, "base64");
    return Float32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readFloatLE(4 * i));
  }) as [Float32Array, Float32Array];
  if (weights.length !== rows * columns || scales.length !== rows || bias.length !== rows)
    throw invalid(`a layer of ${rows} × ${columns} has ${weights.length} weights, ${scales.length} scales and ${bias.length} biases`);
  return { rows, columns, weights: Int8Array.from(weights, (byte) => (byte << 24) >> 24), scales, bias };
}

const invalid = (what: string, cause?: unknown) =>
  new ConfigError("INTENTS_HEAD_INVALID", `the intents head is not valid: ${what}. Train it again, or reinstall.`, { cause });

/** Logits of one vector, (labels,), divided by the head's temperature. */
export function headLogits({ layers, temperature }: IntentHead, vector: ArrayLike<number>): Float64Array {
  const hidden = dense(layers[0], vector).map(Math.tanh);
  return dense(layers[1], hidden).map((logit) => logit / temperature);
}

function dense({ rows, columns, weights, scales, bias }: DenseS8, input: ArrayLike<number>): Float64Array {
  const output = new Float64Array(rows);
  for (let r = 0, at = 0; r < rows; r++, at += columns) {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += weights[at + c]! * input[c]!;
    output[r] = sum * scales[r]! + bias[r]!;
  }
  return output;
}
