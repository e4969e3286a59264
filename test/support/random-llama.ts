import {
  type GainName,
  type ImportedModel,
  type LlamaCheckpoint,
  type LlamaShape,
  type MatrixName,
  matrixSize,
} from "../../host/lm/checkpoint.ts";
import { seeded } from "./random.ts";
import { scoredTokenizer } from "./small-tokenizers.ts";

const smallShape: LlamaShape = {
  dim: 64,
  hidden: 96,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headSize: 16,
  vocab: 320,
  context: 128,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedHead: false,
};

/** A Llama with random weights, the same for a seed, and a small SentencePiece tokenizer. */
export function randomLlama(options: { seed: number } & Partial<LlamaShape>): ImportedModel {
  const { seed, ...sizes } = options;
  const shape = { ...smallShape, ...sizes };
  return { checkpoint: randomCheckpoint(shape, seed), tokenizer: scoredTokenizer(shape.vocab) };
}

/** Random weights of a shape, ± spread / √columns. Rows differ in size by up to 2^(±unevenness/2). */
export function randomCheckpoint(shape: LlamaShape, seed: number, unevenness = 0, spread = 2.5): LlamaCheckpoint {
  const tensors = new Map<string, Float32Array>();
  const once = (name: MatrixName | GainName, make: () => Float32Array): Float32Array => {
    const key = JSON.stringify(name);
    const made = tensors.get(key) ?? make();
    tensors.set(key, made);
    return made;
  };
  const random = (name: MatrixName | GainName): (() => number) =>
    seeded(seed + [...JSON.stringify(name)].reduce((sum, c) => 31 * sum + c.charCodeAt(0), 0));
  return {
    shape,
    rows(name, from, to) {
      const { rows, columns } = matrixSize(shape, name);
      if (name === "head" && shape.tiedHead) return this.rows("embedding", from, to);
      const values = once(name, () => {
        const uniform = random(name);
        const width = name === "embedding" ? 1 : spread / Math.sqrt(columns);
        const values = Float32Array.from({ length: rows * columns }, () => (uniform() + uniform() - 1) * width);
        if (unevenness === 0) return values;
        const sizes = Array.from({ length: rows }, () => 2 ** ((uniform() - 0.5) * unevenness));
        return values.map((value, i) => value * sizes[Math.floor(i / columns)]!);
      });
      return values.slice(from * columns, to * columns);
    },
    gain(name) {
      return once(name, () => {
        const uniform = random(name);
        return Float32Array.from({ length: shape.dim }, () => 0.5 + uniform());
      }).slice();
    },
    close() {},
  };
}
