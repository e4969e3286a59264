import { createRandom } from "../core/system/random.ts";
import {
  type ImportedModel,
  type LlamaCheckpoint,
  type LlamaMatrix,
  type MatrixName,
  matrixSize,
  type TokenizerData,
} from "./checkpoint.ts";
import { add, attend, multiply, rmsNorm, ropeFrequencies, rotate, swiGlu } from "./float-kernels.ts";

const probeTokens = 128;
const chunkRows = 64;

/**
 * The largest |residual| of a float run over 128 tokens, the first one that begins a text, the others drawn: the quantiser chooses the
 * residual's unit by it. It runs layer by layer and reads a few rows at a time, so that memory does not grow with the model.
 */
export function residualMax({ checkpoint, tokenizer }: ImportedModel, onBlock?: () => void): number {
  const { shape } = checkpoint;
  const { dim, hidden } = shape;
  const tokens = drawTokens(tokenizer, Math.min(probeTokens, shape.context));
  const vectors = (width: number): Float32Array[] => tokens.map(() => new Float32Array(width));
  const x = tokens.map((token) => checkpoint.rows("embedding", token, token + 1));
  const [queryWidth, keyWidth] = [shape.heads * shape.headSize, shape.kvHeads * shape.headSize];
  const [normed, added, q, attended] = [vectors(dim), vectors(dim), vectors(queryWidth), vectors(queryWidth)];
  const [gate, up] = [vectors(hidden), vectors(hidden)];
  const ring = { keys: new Float32Array(tokens.length * keyWidth), values: new Float32Array(tokens.length * keyWidth) };
  const slots = (values: Float32Array): Float32Array[] => tokens.map((_, t) => values.subarray(t * keyWidth, (t + 1) * keyWidth));
  const [keys, values] = [slots(ring.keys), slots(ring.values)];
  const scores = new Float32Array(tokens.length);
  const frequencies = ropeFrequencies(shape);
  let most = 0;
  const addAll = (): void => {
    for (const [t, one] of x.entries()) {
      add(one, added[t]!);
      most = one.reduce((max, value) => Math.max(max, Math.abs(value)), most);
    }
  };
  for (let layer = 0; layer < shape.layers; layer++) {
    const times = (part: LlamaMatrix, y: Float32Array[], input: Float32Array[]): void => multiplyAll(checkpoint, { layer, part }, y, input);
    const normAll = (part: "attention" | "feedForward"): void => {
      const gain = checkpoint.gain({ layer, part });
      for (const [t, one] of x.entries()) rmsNorm(normed[t]!, one, gain, shape.normEpsilon);
    };
    normAll("attention");
    times("q", q, normed);
    times("k", keys, normed);
    times("v", values, normed);
    for (const t of tokens.keys()) {
      rotate(q[t]!, t, frequencies);
      rotate(keys[t]!, t, frequencies);
    }
    for (const t of tokens.keys()) attend(attended[t]!, q[t]!, ring, shape, scores, t + 1);
    times("o", added, attended);
    addAll();
    normAll("feedForward");
    times("gate", gate, normed);
    times("up", up, normed);
    for (const t of tokens.keys()) swiGlu(gate[t]!, up[t]!);
    times("down", added, gate);
    addAll();
    onBlock?.();
  }
  return most;
}

/** y = W·x for every token, a few rows of W at a time. */
function multiplyAll(checkpoint: LlamaCheckpoint, name: MatrixName, y: Float32Array[], x: Float32Array[]): void {
  const { rows, columns } = matrixSize(checkpoint.shape, name);
  for (let from = 0; from < rows; from += chunkRows) {
    const to = Math.min(rows, from + chunkRows);
    const weights = { values: checkpoint.rows(name, from, to), rows: to - from, columns };
    for (const [t, one] of x.entries()) multiply(y[t]!.subarray(from, to), weights, one);
  }
}

function drawTokens({ pieces, bos }: TokenizerData, count: number): number[] {
  const random = createRandom(1);
  const drawn = Array.from({ length: count }, () => random.integer(pieces.length));
  return bos === undefined ? drawn : [bos, ...drawn.slice(1)];
}
