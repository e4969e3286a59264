import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type ImportedModel, type MatrixName, matrixSize } from "../../../host/lm/checkpoint.ts";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { llamaGguf } from "../../support/llama-gguf.ts";
import { writeLlamaSafetensors } from "../../support/llama-safetensors.ts";
import { llama2cTokenizer, llama2cVersion0, llama2cVersion2 } from "../../support/llama2c-files.ts";
import { randomLlama } from "../../support/random-llama.ts";
import { rankedTokenizer } from "../../support/small-tokenizers.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-formats-"));
afterAll(() => rmSync(folder, { recursive: true }));

const names: readonly MatrixName[] = [
  "embedding",
  "head",
  ...(["q", "k", "v", "o", "gate", "up", "down"] as const).map((part) => ({ layer: 1, part })),
];

/** Largest difference between two checkpoints' weights, in parts of the largest weight of each matrix. */
function differenceOf(a: ImportedModel, b: ImportedModel): number {
  return Math.max(
    ...names.map((name) => {
      const { rows } = matrixSize(a.checkpoint.shape, name);
      const [x, y] = [a, b].map(({ checkpoint }) => checkpoint.rows(name, 0, rows)) as [Float32Array, Float32Array];
      const most = Math.max(...x.map(Math.abs));
      return Math.max(...x.map((value, i) => Math.abs(value - y[i]!))) / most;
    }),
  );
}

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe.each([true, false])("a checkpoint whose head is tied: %s", (tiedHead) => {
  const model = randomLlama({ seed: 3, tiedHead });
  const tokenizer = written(`tokenizer-${tiedHead}.bin`, llama2cTokenizer(model.tokenizer));

  it("llama2.c version 0 gives every weight and the tokenizer", () => {
    const path = written(`v0-${tiedHead}.bin`, llama2cVersion0(model));
    const read = openCheckpoint(path, { tokenizer });
    expect(read.checkpoint.shape).toEqual(model.checkpoint.shape);
    expect(differenceOf(model, read)).toBe(0);
    expect(read.checkpoint.gain({ layer: 1, part: "feedForward" })).toEqual(model.checkpoint.gain({ layer: 1, part: "feedForward" }));
    expect(read.tokenizer).toEqual({ ...model.tokenizer, eos: [1, 2] });
  });

  it.each([32, 64])("llama2.c version 2 in groups of %s gives weights within half a step", (group) => {
    const path = written(`v2-${tiedHead}.bin`, llama2cVersion2(model, group));
    const read = openCheckpoint(path, { tokenizer });
    expect(read.checkpoint.shape).toEqual(model.checkpoint.shape);
    expect(differenceOf(model, read)).toBeLessThanOrEqual(0.501 / 127);
  });

  it("GGUF in F32 gives every weight", () => {
    const read = openCheckpoint(written(`f32-${tiedHead}.gguf`, llamaGguf(model)));
    expect(differenceOf(model, read)).toBe(0);
  });

  it.each([
    ["F32", 0],
    ["F16", 2 ** -11],
    ["BF16", 2 ** -8],
  ] as const)("safetensors in %s give the weights, with q and k turned from halves to pairs", (dtype, most) => {
    const own = join(folder, `${dtype}-${tiedHead}`);
    mkdirSync(own);
    const ranked = { ...model, tokenizer: rankedTokenizer(model.checkpoint.shape.vocab) };
    const read = openCheckpoint(writeLlamaSafetensors(own, ranked, dtype));
    expect(read.checkpoint.shape).toEqual(model.checkpoint.shape);
    expect(differenceOf(model, read)).toBeLessThanOrEqual(most);
    expect(read.tokenizer).toEqual(ranked.tokenizer);
  });
});

it("rows in the middle of a matrix are those of the whole", () => {
  const model = randomLlama({ seed: 4 });
  const own = join(folder, "middle");
  mkdirSync(own);
  const tokenizer = rankedTokenizer(model.checkpoint.shape.vocab);
  for (const path of [
    writeLlamaSafetensors(own, { ...model, tokenizer }),
    written(
      "middle.gguf",
      llamaGguf(model, () => "Q8_0"),
    ),
  ]) {
    const { checkpoint } = openCheckpoint(path);
    for (const name of names) {
      const { rows, columns } = matrixSize(checkpoint.shape, name);
      const whole = checkpoint.rows(name, 0, rows);
      expect(checkpoint.rows(name, 5, 9)).toEqual(whole.slice(5 * columns, 9 * columns));
    }
  }
});
