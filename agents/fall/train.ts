import { IMU_CHANNELS } from "../../host/core/image/imu-channels.ts";
import { loadHapt } from "../../host/data/hapt.ts";
import { haptAtBelt } from "../../host/data/hapt-belt.ts";
import { type Dataset, selectRecordings } from "../../host/data/recording.ts";
import { loadSisFall, SISFALL_FALL, SISFALL_ORIENTATION } from "../../host/data/sisfall.ts";
import { impactFrame } from "../../host/data/sisfall-impact.ts";
import type { Split } from "../../host/data/split-subjects.ts";
import { noAugmentation } from "../../host/train/augment.ts";
import type { ConfirmationTraining, EventRecording } from "../../host/train/confirm/train-confirmation.ts";
import type { SsmConfig } from "../../host/train/net-config.ts";
import type { Recipe } from "../../host/train/train-net.ts";
import type { AgentTraining } from "../../host/train/training.ts";
import { activitySplit } from "../activity/train.ts";
import { wearerDays } from "./days.ts";

export const fallLabels = ["daily", "fall"] as const;

/**
 * Every third young and every third elderly wearer tests (SA03 … SA21, SE03 … SE15). Of the others, in ascending order and counted from 0
 * within each group, position mod 5 = 2 calibrates, 4 selects, the rest fit. SE06, the one elderly wearer who fell, is a test wearer.
 */
export const fallSplit: Split = {
  fit: [
    ...["SA01", "SA02", "SA05", "SA08", "SA10", "SA13", "SA16", "SA17", "SA20", "SA23"],
    ...["SE01", "SE02", "SE05", "SE08", "SE10", "SE13"],
  ],
  select: ["SA07", "SA14", "SA22", "SE07", "SE14"],
  calibrate: ["SA04", "SA11", "SA19", "SE04", "SE11"],
  test: ["SA03", "SA06", "SA09", "SA12", "SA15", "SA18", "SA21", "SE03", "SE06", "SE09", "SE12", "SE15"],
};

/**
 * 1/8 g and 16 °/s a step: ±14 g and ±1,800 °/s, whole falls. Upright and at rest every channel reads 16 steps, not 0: an RMS norm takes no
 * notice of how large its input is, but beside a constant it can tell 5 g from 1.3 g. Without it, lying down in one go was a fall.
 */
const features = { stepCounts: [256, 256, 256, 256, 256, 256], zeroPointCounts: [-2048, -4096, -4096, -4096, -4096, -4096] };

const ssm: SsmConfig = { kind: "ssm", dInner: 48, nHeads: 3, headDim: 16, dState: 8, dConv: 4 };

const recipe: Recipe = {
  steps: 800,
  windowBatch: 0,
  cropBatch: 16,
  cropEvery: 1,
  cropPatches: 256,
  peakLearningRate: 4e-3,
  weightDecay: 0.05,
  clipNorm: 1,
  labelSmoothing: 0.02,
  dropout: 0.1,
  augmentation: { ...noAugmentation, channelScale: 0.04, noise: 0.02, rotationRadians: [0.4, 0.2, 0.2] },
  exitWeights: [0.3, 0.5, 1],
  transitionShare: 0,
  resetProbability: 0.2,
  spliceShare: 0,
  quantizeFromShare: 0.5,
  averageDecay: 0.99,
};

const manifest: AgentTraining["manifest"] = {
  labels: fallLabels,
  channels: IMU_CHANNELS,
  frameRateHz: 50,
  orientation: SISFALL_ORIENTATION,
  provenance: {
    data: "SisFall (Sucerquia, López, Vargas-Bonilla 2017): trials of 21 wearers",
    licence: "data: free for research, to be cited. See LICENSE-MODEL",
    trainedWith: "dormouse train fall (@jax-js/jax 0.1.25)",
  },
};

export const fallTraining: AgentTraining = {
  name: "fall",
  config: {
    dModel: 24,
    channels: 6,
    patchFrames: 4,
    nClasses: fallLabels.length,
    blocks: [ssm, ssm, ssm],
    exits: [0, 1, 2],
  },
  features,
  recipe,
  classOf: (label) => label - 1, // 0, no label, is −1: no loss
  split: fallSplit,
  image: { frameRateMillihertz: 50000, windowPatches: 32, hopPatches: 4, contextPatches: 128, ringPatches: 32, gapLimitFrames: 8 },
  manifest,
  guarantee: { alpha: 0.01, delta: 0.1, minAnswered: 300 },
};

/** SisFall as the net learns from it: the trials of each wearer in a row, labelled by frame. */
export function loadFallTraining(dataDir: string): Dataset {
  return wearerDays(loadSisFall(dataDir));
}

const confirmationSplit = { ...fallSplit, daily: activitySplit.fit.map((user) => `HAPT ${user}`) };

/**
 * The cloud's model that confirms falls. HAPT's fit wearers are daily life to it: they have no falls, and lie down some 90 times, which
 * SisFall's wearers seldom do.
 */
export const fallConfirmation: ConfirmationTraining = {
  name: "fall-confirmation",
  labels: fallLabels,
  label: "fall",
  features,
  countsPerUnit: IMU_CHANNELS.map(({ countsPerUnit }) => countsPerUnit),
  patchFrames: 4,
  samples: { contextFrames: 512, afterFrames: 100, hopFrames: 16 },
  dailyEvery: 2,
  boosting: { trees: 300, depth: 4, rate: 0.06, bins: 64, leafWeight: 12, ridge: 1, statisticShare: 0.3, rowShare: 0.7, seed: 1 },
  extraTrees: { trees: 100, depth: 14, leafRows: 4, tries: 16, seed: 1 },
  ridge: 30,
  load(dataDir) {
    const sisfall = loadSisFall(dataDir);
    const events = (subjects: readonly string[]): EventRecording[] =>
      selectRecordings(sisfall, subjects).map((recording) => ({
        recording,
        impact: recording.labels[0] === SISFALL_FALL ? impactFrame(recording.frames) : undefined,
      }));
    const daily = selectRecordings(loadHapt(dataDir), activitySplit.fit).map((one) => ({ recording: haptAtBelt(one), impact: undefined }));
    return {
      fit: [...events(fallSplit.fit), ...daily],
      select: events(fallSplit.select),
      calibrate: events(fallSplit.calibrate),
      protocol: confirmationSplit,
    };
  },
};
