import { createRandom } from "../../agent/random.ts";
import { recordingsOf } from "../../agent/recording.ts";
import { makeBatch } from "../batches.ts";
import { type Scales, startJax } from "../device-arrays.ts";
import { createObserver } from "../observer.ts";
import { cropSampler } from "../samplers.ts";
import type { TrainedNet } from "../train-net.ts";
import type { StudyPlan } from "./study.ts";

const observedBatches = 4;
const OBSERVE_SEED = 4000; // apart from the seeds of trainings

/** Activation scales of a float net after training: the mean over four batches of undisturbed crops of the fit wearers. */
export async function observeScales({ training, dataset }: StudyPlan, net: TrainedNet, seed: number, keptShare: number): Promise<Scales> {
  await startJax();
  const { config, features, recipe, classOf } = training;
  const observe = createObserver(config, keptShare);
  const crops = cropSampler(recordingsOf(dataset, training.split.fit), {
    channels: config.channels,
    patchFrames: config.patchFrames,
    patches: recipe.cropPatches,
    spliceShare: 0,
  });
  const random = createRandom(seed + OBSERVE_SEED);
  const sums: Record<string, number> = {};
  for (let i = 0; i < observedBatches; i++) {
    const batch = makeBatch(crops(recipe.cropBatch, random), recipe.cropPatches, random, {
      ...{ config, features, classOf },
      augmentation: undefined,
      labelSmoothing: 0,
      weightAt: () => 1,
      resetProbability: 0,
    });
    for (const [name, scale] of Object.entries(observe(net.parameters, batch, undefined).scales)) sums[name] = (sums[name] ?? 0) + scale;
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / observedBatches]));
}

/** `scales` with those of what the selective scan reads (u, B, C) taken from `other`. */
export function withScanInput(scales: Scales, other: Scales): Scales {
  return Object.fromEntries(Object.entries(scales).map(([name, scale]) => [name, /\.(siluX|B|C)$/.test(name) ? other[name]! : scale]));
}
