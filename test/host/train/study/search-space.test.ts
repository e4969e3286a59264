import { expect, it } from "vitest";
import { activityTraining } from "../../../../agents/activity/train.ts";
import { createRandom } from "../../../../host/core/system/random.ts";
import { type Candidate, paretoFront } from "../../../../host/train/study/pareto.ts";
import { computeShapeCost } from "../../../../host/train/study/search-cost.ts";
import {
  createTraining,
  crossShapes,
  parseShape,
  randomShape,
  shapeKey,
  shapeOfConfig,
} from "../../../../host/train/study/search-space.ts";

it("writes the shipped shape as a key, and reads the very same net from it", () => {
  const key = shapeKey(shapeOfConfig(activityTraining.config));
  expect(key).toBe("d32-SSAS-n8-p4-x2");
  const { config, recipe, image } = createTraining(activityTraining, parseShape(key));
  expect({ config, recipe, image }).toEqual({
    config: activityTraining.config,
    recipe: activityTraining.recipe,
    image: activityTraining.image,
  });
});

it("keeps the window's time with other patches", () => {
  const { image, recipe } = createTraining(activityTraining, parseShape("d16-S-n4-p8-x1"));
  expect(image).toMatchObject({ windowPatches: 16, hopPatches: 8, contextPatches: 64, ringPatches: 8 });
  expect(recipe).toMatchObject({ cropPatches: 128, exitWeights: [1] });
});

it("draws and breeds shapes that the core prepares", () => {
  const random = createRandom(4);
  for (let i = 0; i < 12; i++) {
    const shape = crossShapes(randomShape(random), randomShape(random), random);
    const { arenaBytes, instructions, macs } = computeShapeCost(createTraining(activityTraining, shape));
    expect(arenaBytes, shapeKey(shape)).toBeGreaterThan(1000);
    expect(instructions).toBeGreaterThan(macs);
  }
});

it("counts the shipped net's arena and MACs as its image does", () => {
  expect(computeShapeCost(activityTraining)).toMatchObject({ macs: 1_160_064, arenaBytes: 15_696, parameters: 33_072 });
});

it("refuses a key that is no shape", () => {
  expect(() => parseShape("../d32")).toThrow(/no shape of the search/);
});

it("keeps on the front what nothing beats, the cheapest first", () => {
  const one = (key: string, accuracy: number, instructions: number, arenaBytes: number): Candidate => ({
    ...{ key, accuracy, instructions, arenaBytes },
  });
  const all = [one("large", 0.9, 9, 9), one("small", 0.8, 1, 5), one("beaten", 0.8, 2, 5), one("lean", 0.7, 2, 1), one("twin", 0.9, 9, 9)];
  expect(paretoFront(all).map(({ key }) => key)).toEqual(["small", "lean", "large", "twin"]);
});
