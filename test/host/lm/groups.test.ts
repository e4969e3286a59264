import { expect, it } from "vitest";
import { type LlamaCheckpoint, matrixSize } from "../../../host/lm/checkpoint.ts";
import { imageCheckpoint } from "../../../host/lm/image-checkpoint.ts";
import { readLanguageImage } from "../../../host/lm/image-read.ts";
import { quantiseLlama } from "../../../host/lm/quantise.ts";
import { randomCheckpoint } from "../../support/random-llama.ts";
import { tinyShape } from "../../support/tiny-llama.ts";

it.each([32, 64] as const)(
  "groups of %d columns → every weight is within half a step of its own group, and no byte more per weight",
  (groups) => {
    const shape = { ...tinyShape, dim: 72, hidden: 100, heads: 5, headSize: 8 };
    const plainWeights = randomCheckpoint(shape, 1, 4);
    const checkpoint: LlamaCheckpoint = {
      ...plainWeights,
      // A weight in a hundred is twenty times larger: what groups are for.
      rows(name, from, to) {
        const first = from * matrixSize(shape, name).columns;
        return plainWeights.rows(name, from, to).map((value, i) => ((first + i) % 101 === 0 ? 20 * value : value));
      },
    };
    const image = quantiseLlama(checkpoint, { name: "random", groups });
    const read = imageCheckpoint(readLanguageImage(image));
    for (const part of ["q", "k", "v", "o", "gate", "up", "down"] as const) {
      const name = { layer: 1, part };
      const size = matrixSize(shape, name);
      for (let r = 0; r < size.rows; r++) {
        const [was, is] = [checkpoint.rows(name, r, r + 1), read.rows(name, r, r + 1)];
        const rowStep = Math.max(...was.map(Math.abs)) / 127;
        for (let from = 0; from < size.columns; from += groups) {
          const group = was.subarray(from, from + groups);
          const step = Math.max(...group.map(Math.abs)) / 127 + rowStep / 255; // a factor is rounded up
          for (let i = 0; i < group.length; i++) expect(Math.abs(group[i]! - is[from + i]!)).toBeLessThan(0.501 * step);
        }
      }
    }
    const plain = quantiseLlama(checkpoint, { name: "random" });
    expect(image.length / plain.length).toBeLessThan(1.06);
  },
);
