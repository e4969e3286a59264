import { expect, it } from "vitest";
import { createRandom } from "../../../../host/core/system/random.ts";
import { parameterShapes } from "../../../../host/train/net-config.ts";
import { initialParameters } from "../../../../host/train/parameters.ts";
import { roundToFourBits, stateBytes, weightBytes } from "../../../../host/train/study/number-formats.ts";
import { tinyConfig } from "../support/tiny-training.ts";

it("leaves at most 15 values in a group of a row, each within half a step of its weight, and rounds no tap", () => {
  const parameters = initialParameters(tinyConfig, createRandom(5));
  const rounded = roundToFourBits(tinyConfig, parameters, 8);
  const [nIn, nOut] = parameterShapes(tinyConfig)["b0.z.w"] as [number, number];
  for (let o = 0; o < nOut; o++)
    for (let from = 0; from < nIn; from += 8) {
      const at = Array.from({ length: 8 }, (_, k) => (from + k) * nOut + o);
      const most = Math.max(...at.map((i) => Math.abs(parameters["b0.z.w"]![i]!)));
      const rowMost = Math.max(...Array.from({ length: nIn }, (_, k) => Math.abs(parameters["b0.z.w"]![k * nOut + o]!)));
      expect(new Set(at.map((i) => rounded["b0.z.w"]![i])).size).toBeLessThanOrEqual(15);
      const halfStep = (most / 7 + rowMost / (7 * 255)) / 2;
      for (const i of at) expect(Math.abs(rounded["b0.z.w"]![i]! - parameters["b0.z.w"]![i]!)).toBeLessThanOrEqual(halfStep + 1e-6);
    }
  expect(rounded["b0.conv.w"]).toEqual(parameters["b0.conv.w"]);
});

it("counts scales, biases and head terms with the weights", () => {
  const one = { ...tinyConfig, dModel: 8, blocks: [], exits: [] }; // the embedding alone: 24 → 8
  const count = (weights: Parameters<typeof weightBytes>[1]["weights"]): number => weightBytes(one, { weights, scan: "s32" });
  expect(count("float")).toBe(4 * 24 * 8 + 4 * 8);
  expect(count("row")).toBe(24 * 8 + 5 * 8 + 4 * 8);
  expect(count("tensor")).toBe(24 * 8 + 5 + 4 * 8);
  expect(count({ fourBitGroups: 16 })).toBe((12 + 2 + 5) * 8 + 4 * 8);
});

it("counts scan states of 4 bytes; the convolution's past, keys and values of 4 in float and 1 in int8", () => {
  const bytes = (scan: "float" | "s32"): number => stateBytes(tinyConfig, { weights: "row", scan });
  expect(bytes("s32")).toBe(4 * 16 * 4 + 3 * 16 + 2 * 32 * 8);
  expect(bytes("float")).toBe(4 * (16 * 4 + 3 * 16 + 2 * 32 * 8));
});
