import { activityClassOf, activityTraining } from "../../../../agents/activity/train.ts";
import { createRandom } from "../../../../host/core/system/random.ts";
import type { Recording } from "../../../../host/data/recording.ts";
import type { NetConfig } from "../../../../host/train/net-config.ts";
import type { Recipe, TrainNetOptions } from "../../../../host/train/train-net.ts";

export const tinyConfig: NetConfig = {
  ...activityTraining.config,
  dModel: 16,
  blocks: [
    { kind: "ssm", dInner: 16, nHeads: 2, headDim: 8, dState: 4, dConv: 4 },
    { kind: "attention", nHeads: 2, nKvHeads: 1, headDim: 8, windowPatches: 32, dMlp: 16 },
  ],
  exits: [0, 1],
};

export const tinyRecipe: Recipe = {
  ...activityTraining.recipe,
  steps: 24,
  windowBatch: 16,
  cropBatch: 4,
  cropEvery: 2,
  cropPatches: 64,
  exitWeights: [0.5, 1],
  dropout: 0,
  peakLearningRate: 1e-2,
};

/** Two activities that one axis tells apart, and an invented transition between them. */
export function recordingOfTwo(subject = "1", seed = 9): Recording {
  const random = createRandom(seed);
  const labels = Uint8Array.from({ length: 3000 }, (_, i) => (i < 1400 ? 4 : i < 1600 ? 7 : 6));
  const frames = Int16Array.from({ length: 18000 }, (_, i) => 100 * random.normal() + (i % 6 === (i < 9000 ? 0 : 2) ? 2000 : 0));
  const segments = [
    { label: 4, start: 0, end: 1400 },
    { label: 7, start: 1400, end: 1600 },
    { label: 6, start: 1600, end: 3000 },
  ];
  return { name: `rec-${subject}`, subject, channels: 6, frames, labels, segments, scoredLabels: 6 };
}

/** A training of seconds. */
export function tinyTraining(over: Partial<TrainNetOptions> = {}): TrainNetOptions {
  return {
    config: tinyConfig,
    features: activityTraining.features,
    classOf: activityClassOf,
    recordings: [recordingOfTwo()],
    recipe: tinyRecipe,
    seed: 3,
    ...over,
  };
}
