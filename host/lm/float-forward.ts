import type { LlamaCheckpoint, LlamaMatrix, LlamaShape, MatrixName } from "./checkpoint.ts";
import { matrixSize } from "./checkpoint.ts";
import { add, attend, multiply, type Ring, rmsNorm, ropeFrequencies, rotate, swiGlu, type Weights } from "./float-kernels.ts";

/** The plain forward pass of a Llama decoder in float32: what the integer core is compared with. */
export interface FloatForward {
  readonly shape: LlamaShape;
  readonly weightBytes: number;
  /** Bytes of keys and values. */
  readonly kvBytes: number;
  /** Runs the next token. Returns the logits (vocab,) of the one after it, which the next call overwrites. */
  step(token: number): Float32Array;
  /** Forgets every token. */
  reset(): void;
}

type Layer = Readonly<Record<LlamaMatrix, Weights>> &
  Ring & { readonly attentionGain: Float32Array; readonly feedForwardGain: Float32Array };

/**
 * Loads the weights and makes a forward pass over a ring of `window` positions (default: the model's context, at most 1024). A token attends to the
 * window − 1 before it and itself; RoPE turns by the absolute position. Equations: Touvron et al., arXiv:2302.13971; RoPE 2104.09864.
 */
export function createFloatForward(checkpoint: LlamaCheckpoint, options: { readonly window?: number } = {}): FloatForward {
  const { shape } = checkpoint;
  const { dim, hidden, heads, kvHeads, headSize, normEpsilon } = shape;
  const window = options.window ?? defaultWindow(shape);
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
  const frequencies = ropeFrequencies(shape);
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

  const attention = (layer: Layer): void => {
    const slot = (position % window) * kvWidth;
    const key = layer.keys.subarray(slot, slot + kvWidth);
    rmsNorm(normed, x, layer.attentionGain, normEpsilon);
    multiply(q, layer.q, normed);
    multiply(key, layer.k, normed);
    multiply(layer.values.subarray(slot, slot + kvWidth), layer.v, normed);
    rotate(q, position, frequencies);
    rotate(key, position, frequencies);
    attend(attended, q, layer, shape, scores, Math.min(position + 1, window));
    multiply(added, layer.o, attended);
    add(x, added);
  };
  const feedForward = (layer: Layer): void => {
    rmsNorm(normed, x, layer.feedForwardGain, normEpsilon);
    multiply(gate, layer.gate, normed);
    multiply(up, layer.up, normed);
    swiGlu(gate, up);
    multiply(added, layer.down, gate);
    add(x, added);
  };

  return {
    shape,
    weightBytes,
    kvBytes: 2 * 4 * shape.layers * window * kvWidth,
    step(token) {
      x.set(embedding.values.subarray(token * dim, (token + 1) * dim));
      for (const layer of layers) {
        attention(layer);
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

/** The model's context, at most what the integer core has: a multiple of 8 up to 1024. */
export function defaultWindow({ context }: Pick<LlamaShape, "context">): number {
  return Math.max(8, Math.floor(Math.min(context, 1024) / 8) * 8);
}
