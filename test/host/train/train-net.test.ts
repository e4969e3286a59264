import { expect, it } from "vitest";
import { activityClassOf, activityTraining } from "../../../agents/activity/train.ts";
import { createRandom } from "../../../host/agent/random.ts";
import type { NetConfig } from "../../../host/train/net-config.ts";
import { type Recipe, trainNet } from "../../../host/train/train-net.ts";

const config: NetConfig = {
  ...activityTraining.config,
  dModel: 16,
  blocks: [
    { kind: "ssm", dInner: 16, nHeads: 2, headDim: 8, dState: 4, dConv: 4 },
    { kind: "attention", nHeads: 2, nKvHeads: 1, headDim: 8, windowPatches: 32, dMlp: 16 },
  ],
  exits: [0, 1],
};
const recipe: Recipe = {
  ...activityTraining.recipe,
  steps: 24,
  windowBatch: 16,
  cropBatch: 4,
  cropPatches: 64,
  exitWeights: [0.5, 1],
  dropout: 0,
  peakLearningRate: 1e-2,
};

/** Two activities that one axis tells apart, and an invented transition between them. */
function recordingOfTwo() {
  const random = createRandom(9);
  const labels = Uint8Array.from({ length: 3000 }, (_, i) => (i < 1400 ? 4 : i < 1600 ? 7 : 6));
  const frames = Int16Array.from({ length: 18000 }, (_, i) => 100 * random.normal() + (i % 6 === (i < 9000 ? 0 : 2) ? 2000 : 0));
  const segments = [
    { label: 4, start: 0, end: 1400 },
    { label: 7, start: 1400, end: 1600 },
    { label: 6, start: 1600, end: 3000 },
  ];
  return { experiment: 1, user: 1, frames, labels, segments };
}

it("lowers the loss in a few steps, in float and then in int8, and gives the same bits for the same seed", async () => {
  const train = async (seed: number) => {
    const losses: number[] = [];
    const net = await trainNet({
      config,
      features: activityTraining.features,
      classOf: activityClassOf,
      recordings: [recordingOfTwo()],
      recipe,
      seed,
      onStep: ({ loss }) => losses.push(loss),
    });
    return { losses, net };
  };
  const first = await train(3);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(first.losses.slice(-4))).toBeLessThan(0.7 * mean(first.losses.slice(0, 4)));
  const again = await train(3);
  expect(again.net).toEqual(first.net);
});
