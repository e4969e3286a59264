import type { LlamaCheckpoint, LlamaMatrix, LlamaShape, MatrixName } from "./checkpoint.ts";
import { matrixSize } from "./checkpoint.ts";

/** The plain forward pass of a Llama decoder in float32: what the integer core is compared with. */
export interface FloatForward {
  readonly shape: LlamaShape;
  readonly weightBytes: number;
  /** Bytes of keys and values. */
  readonly kvBytes: number;
  /** Largest absolute value of the residual stream so far. */
  readonly residualMax: number;
  /** Runs the next token. Returns the logits (vocab,) of the one after it, which the next call overwrites. */
  step(token: number): Float32Array;
  /** Forgets every token. */
  reset(): void;
}

type Weights = { readonly values: Float32Array; readonly rows: number; readonly columns: number };
type Layer = Readonly<Record<LlamaMatrix, Weights>> & {
  readonly attentionGain: Float32Array;
  readonly feedForwardGain: Float32Array;
  /** Ring of keys and values (window, kvHeads · headSize). */
  readonly keys: Float32Array;
  readonly values: Float32Array;
};

/**
 * Loads the weights and makes a forward pass over a ring of `window` positions (default: the model's context). A token attends to the
 * window − 1 before it and itself; RoPE turns by the absolute position. Equations: Touvron et al., arXiv:2302.13971; RoPE 2104.09864.
 */
export function createFloatForward(checkpoint: LlamaCheckpoint, options: { readonly window?: number } = {}): FloatForward {
  const { shape } = checkpoint;
  const { dim, hidden, heads, kvHeads, headSize, normEpsilon } = shape;
  const window = options.window ?? shape.context;
  const kvWidth = kvHeads * headSize;
  let weightBytes = 0;
  const load = (name: MatrixName): Weights => {
    const size = matrixSize(shape, name);
    weightBytes += 4 * size.rows * size.columns;
    return { values: checkpoint.rows(name, 0, size.rows), ...size };
  };
  const embedding = load("embedding");
  const head = shape.tiedHead ? embedding : load("head");
  const finalGain = checkpoint.gain("final");
  const layers = Array.from({ length: shape.layers }, (_, layer): Layer => {
    const part = (name: LlamaMatrix): Weights => load({ layer, part: name });
    return {
      q: part("q"),
      k: part("k"),
      v: part("v"),
      o: part("o"),
      gate: part("gate"),
      up: part("up"),
      down: part("down"),
      attentionGain: checkpoint.gain({ layer, part: "attention" }),
      feedForwardGain: checkpoint.gain({ layer, part: "feedForward" }),
      keys: new Float32Array(window * kvWidth),
      values: new Float32Array(window * kvWidth),
    };
  });
  const frequencies = Float64Array.from({ length: headSize / 2 }, (_, i) => shape.ropeTheta ** ((-2 * i) / headSize));
  const x = new Float32Array(dim);
  const normed = new Float32Array(dim);
  const q = new Float32Array(heads * headSize);
  const attended = new Float32Array(heads * headSize);
  const added = new Float32Array(dim);
  const gate = new Float32Array(hidden);
  const up = new Float32Array(hidden);
  const scores = new Float32Array(window);
  const logits = new Float32Array(shape.vocab);
  let position = 0;
  let residualMax = 0;

  const addToResidual = (): void => {
    for (let i = 0; i < dim; i++) {
      x[i]! += added[i]!;
      residualMax = Math.max(residualMax, Math.abs(x[i]!));
    }
  };
  const attend = (layer: Layer): void => {
    const slot = (position % window) * kvWidth;
    const count = Math.min(position + 1, window);
    rmsNorm(normed, x, layer.attentionGain, normEpsilon);
    const key = layer.keys.subarray(slot, slot + kvWidth);
    multiply(q, layer.q, normed);
    multiply(key, layer.k, normed);
    multiply(layer.values.subarray(slot, slot + kvWidth), layer.v, normed);
    rotate(q, position, frequencies);
    rotate(key, position, frequencies);
    for (let one = 0; one < heads; one++)
      attendHead(attended, q, layer, {
        at: one * headSize,
        kvAt: Math.floor((one * kvHeads) / heads) * headSize,
        headSize,
        kvWidth,
        count,
        scores,
      });
    multiply(added, layer.o, attended);
    addToResidual();
  };
  const feedForward = (layer: Layer): void => {
    rmsNorm(normed, x, layer.feedForwardGain, normEpsilon);
    multiply(gate, layer.gate, normed);
    multiply(up, layer.up, normed);
    for (let i = 0; i < hidden; i++) gate[i] = (gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!;
    multiply(added, layer.down, gate);
    addToResidual();
  };

  return {
    shape,
    weightBytes,
    kvBytes: 2 * 4 * shape.layers * window * kvWidth,
    get residualMax() {
      return residualMax;
    },
    step(token) {
      x.set(embedding.values.subarray(token * dim, (token + 1) * dim));
      for (const layer of layers) {
        attend(layer);
        feedForward(layer);
      }
      rmsNorm(normed, x, finalGain, normEpsilon);
      multiply(logits, head, normed);
      position += 1;
      return logits;
    },
    reset() {
      position = 0;
    },
  };
}

/** y = x / rms(x) · gain (arXiv:1910.07467). */
function rmsNorm(y: Float32Array, x: Float32Array, gain: Float32Array, epsilon: number): void {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i]! * x[i]!;
  const inverse = 1 / Math.sqrt(squares / x.length + epsilon);
  for (let i = 0; i < x.length; i++) y[i] = x[i]! * inverse * gain[i]!;
}

/** y = W·x. */
function multiply(y: Float32Array, { values, rows, columns }: Weights, x: Float32Array): void {
  for (let row = 0, at = 0; row < rows; row++, at += columns) {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += values[at + i]! * x[i]!;
    y[row] = sum;
  }
}

/** RoPE: turns the pair (2i, 2i + 1) of every head by position · frequency i. */
function rotate(vector: Float32Array, position: number, frequencies: Float64Array): void {
  const half = frequencies.length;
  for (let pair = 0; 2 * pair < vector.length; pair++) {
    const angle = position * frequencies[pair % half]!;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    const [a, b] = [vector[2 * pair]!, vector[2 * pair + 1]!];
    vector[2 * pair] = a * cosine - b * sine;
    vector[2 * pair + 1] = a * sine + b * cosine;
  }
}

type Head = {
  readonly at: number;
  readonly kvAt: number;
  readonly headSize: number;
  readonly kvWidth: number;
  readonly count: number;
  readonly scores: Float32Array;
};

/** One head: softmax(q·K / √headSize)·V over the filled slots of the ring, whose order does not matter. */
function attendHead(y: Float32Array, q: Float32Array, layer: Layer, { at, kvAt, headSize, kvWidth, count, scores }: Head): void {
  const { keys, values } = layer;
  const scale = 1 / Math.sqrt(headSize);
  let max = Number.NEGATIVE_INFINITY;
  for (let slot = 0; slot < count; slot++) {
    let score = 0;
    for (let i = 0; i < headSize; i++) score += q[at + i]! * keys[slot * kvWidth + kvAt + i]!;
    scores[slot] = score * scale;
    max = Math.max(max, scores[slot]!);
  }
  let total = 0;
  for (let slot = 0; slot < count; slot++) {
    scores[slot] = Math.exp(scores[slot]! - max);
    total += scores[slot]!;
  }
  for (let i = 0; i < headSize; i++) {
    let sum = 0;
    for (let slot = 0; slot < count; slot++) sum += scores[slot]! * values[slot * kvWidth + kvAt + i]!;
    y[at + i] = sum / total;
  }
}
