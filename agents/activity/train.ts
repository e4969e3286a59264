import { IMU_CHANNELS } from "../../host/core/image/imu-channels.ts";
import { HAPT_TEST_USERS, loadHapt } from "../../host/data/hapt.ts";
import { selectRecordings } from "../../host/data/recording.ts";
import type { Split } from "../../host/data/split-subjects.ts";
import type { SyntheticParameters } from "../../host/data/synthetic.ts";
import { noAugmentation } from "../../host/train/augment.ts";
import type { LdaRecipe } from "../../host/train/fit-lda.ts";
import { fitSynthetic } from "../../host/train/fit-synthetic.ts";
import type { AttentionConfig, SsmConfig } from "../../host/train/net-config.ts";
import type { Recipe } from "../../host/train/train-net.ts";
import { type AgentTraining, createSmoothing, type EnsembleMember } from "../../host/train/training.ts";

/** Six activities and one class for every postural transition (HAPT 7–12). */
export const activityLabels = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying", "transition"] as const;

const upright: readonly string[] = ["walking", "upstairs", "downstairs", "standing"];

/** HAPT label → class; −1 = no label, no loss. */
export function activityClassOf(label: number): number {
  return label === 0 ? -1 : Math.min(label, activityLabels.length) - 1;
}

/**
 * Wearers of the official training part in ascending order, counted from 0: position mod 5 = 2 calibrates, 4 selects, the rest fit.
 * The test wearers are the official ones.
 */
export const activitySplit: Split = {
  fit: ["1", "3", "6", "8", "11", "15", "17", "19", "22", "25", "26", "28", "30"],
  select: ["7", "16", "23", "29"],
  calibrate: ["5", "14", "21", "27"],
  test: [...HAPT_TEST_USERS],
};

/**
 * 1/64 g and 1/8 °/s a step: standing sways by about 1 °/s about the vertical and sitting by 0.3, and a coarser step hides it. Beyond
 * ±8 °/s, where gaits are, a step is 2 °/s, up to ±134 °/s. The vertical axis is taken about 0.8 g, its mean over the training wearers:
 * with the constant left in, tilt is a small signal under RMS norm.
 */
const features = { stepCounts: [32, 32, 32, 2, 2, 2], kneeSteps: [0, 0, 0, 64, 64, 64], zeroPointCounts: [1638, 0, 0, 0, 0, 0] };

const ssm: SsmConfig = { kind: "ssm", dInner: 64, nHeads: 4, headDim: 16, dState: 8, dConv: 4 };
const attention: AttentionConfig = { kind: "attention", nHeads: 4, nKvHeads: 2, headDim: 8, windowPatches: 32, dMlp: 64 };

/** Transitions are rarer than the discriminant's equal priors have them, and a window that ends in one is mostly something else. */
const lda: LdaRecipe = {
  shrinkage: 0.05,
  rotationRadians: [0.2, 0.2, 0.2],
  share: 0.25,
  offsets: activityLabels.map((label) => (label === "transition" ? -2.5 : 0)),
};

/** How a member of the ensemble learns: from labels. */
const memberRecipe: Recipe = {
  steps: 1000,
  windowBatch: 96,
  cropBatch: 12,
  cropEvery: 4,
  cropPatches: 256,
  peakLearningRate: 4e-3,
  weightDecay: 0.05,
  clipNorm: 1,
  labelSmoothing: 0.1,
  dropout: 0.15,
  augmentation: { ...noAugmentation, channelScale: 0.1, noise: 0.03, gyroOffset: 0.13, rotationRadians: [0.15, 0.15, 0.1] },
  exitWeights: [0.2, 0.3, 0.5, 1],
  transitionShare: 0.07,
  resetProbability: 0.5,
  spliceShare: 0.4,
  quantizeFromShare: 0.45,
  averageDecay: 0.99,
};

/** How the student learns: from the ensemble, whose soft labels regularise enough. */
const studentRecipe: Recipe = { ...memberRecipe, steps: 1400, cropEvery: 2, dropout: 0, labelSmoothing: 0.05 };

const manifest: AgentTraining["manifest"] = {
  labels: activityLabels,
  channels: IMU_CHANNELS,
  frameRateHz: 50,
  orientation: "waist, as in HAPT: x up when standing",
  provenance: {
    data: "HAPT v2.1 (Reyes-Ortiz, Anguita, Oneto, Parra; UCI): raw recordings of 21 wearers",
    licence: "data: readme asks to cite and forbids commercial use; UCI lists CC BY 4.0. See LICENSE-MODEL",
    trainedWith: "dormouse train activity (@jax-js/jax 0.1.25)",
  },
};

/**
 * A change costs 1 where it happens by itself, 3 where something must come between: postures change by a transition, and who walks has
 * stood up. So HAPT's protocol is not learned by heart: anybody may stand after a walk.
 */
const smoothing = createSmoothing(activityLabels, 16, (from, to) => {
  const isNear = [from, to].includes("transition") || [from, to].every((label) => upright.includes(label));
  return isNear ? 1 : 3;
});

const image: AgentTraining["image"] = {
  frameRateMillihertz: 50000,
  windowPatches: 32,
  hopPatches: 16,
  contextPatches: 128,
  ringPatches: 16, // one hop: a longer one makes every decision after skipped hops dearer than a hop at full depth
  gapLimitFrames: 8,
};

const student: AgentTraining = {
  name: "activity",
  config: {
    dModel: 32,
    channels: 6,
    patchFrames: 4,
    nClasses: activityLabels.length,
    blocks: [ssm, ssm, attention, ssm],
    exits: [0, 1, 2, 3],
  },
  features,
  recipe: studentRecipe,
  classOf: activityClassOf,
  split: activitySplit,
  image,
  manifest,
  guarantee: { alpha: 0.02, delta: 0.1, minAnswered: 300 },
};

/** The same net from labels alone: a member of the ensemble, and what a net for other recordings starts from. */
export const labelledTraining: AgentTraining = { ...student, recipe: memberRecipe };

/**
 * Members of the ensemble: the student's net, each with its seed, its share of crops and its rotation about z. A small rotation leaves tilt
 * in the front-to-back plane to tell sitting from standing, right for most wearers and wrong for a few; a large one leaves their sway. Two
 * learn from windows alone. So they err elsewhere. These two weigh no statistics: what makes those wrong and sure at once, in the device and in
 * the cloud, they doubt, and the drift monitor hears of it. All read an ask's whole context from a reset state, and none answers by itself.
 */
const members = [
  { name: "a", seed: 11, cropEvery: 4, zRadians: 0.05 },
  { name: "b", seed: 12, cropEvery: 4, zRadians: 0.15 },
  { name: "c", seed: 13, cropEvery: 4, zRadians: 0.15 },
  { name: "d", seed: 14, cropEvery: 0, zRadians: 0.15 },
  { name: "e", seed: 15, cropEvery: 0, zRadians: 0.05 },
].map(({ name, seed, cropEvery, zRadians }): EnsembleMember => {
  const augmentation = { ...memberRecipe.augmentation, rotationRadians: [0.15, 0.15, zRadians] as const };
  const recipe = { ...memberRecipe, cropEvery, augmentation };
  const own = { name: `activity-teacher-${name}`, recipe, guarantee: undefined, ...(cropEvery > 0 && { lda }) };
  return { name, seed, training: { ...labelledTraining, ...own } };
});

/** What the device runs: learned from the recordings and from the ensemble that answers its asks. */
export const activityTraining: AgentTraining = {
  ...student,
  image: { ...image, smoothing },
  lda,
  ensemble: { members, distillation: { aggregation: "mean-probability", softShare: 0.7, mixShare: 0.5, batches: 150 } },
};

/** The synthetic wearer's bank, fitted on the fit wearers: the content of synthetic.json. */
export function fitActivitySynthetic(dataDir: string): SyntheticParameters {
  return fitSynthetic(selectRecordings(loadHapt(dataDir), activitySplit.fit), activityLabels);
}
