import { expect, it } from "vitest";
import { type LlamaShape, matrixSize } from "../../../host/lm/checkpoint.ts";

const shape: LlamaShape = {
  dim: 64,
  hidden: 172,
  layers: 5,
  heads: 8,
  kvHeads: 4,
  headSize: 16,
  vocab: 512,
  context: 512,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedHead: true,
};

it("grouped queries and a head size of its own make q shaper than k, and o the transpose of q", () => {
  expect(matrixSize(shape, { layer: 0, part: "q" })).toEqual({ rows: 128, columns: 64 });
  expect(matrixSize(shape, { layer: 0, part: "k" })).toEqual({ rows: 64, columns: 64 });
  expect(matrixSize(shape, { layer: 4, part: "o" })).toEqual({ rows: 64, columns: 128 });
  expect(matrixSize(shape, { layer: 4, part: "down" })).toEqual({ rows: 64, columns: 172 });
  expect(matrixSize(shape, "head")).toEqual({ rows: 512, columns: 64 });
});
