import { LIMIT_LDA_LIMIT } from "../../assembly/layout.ts";
import { computeLdaLogits, windowStatistics } from "../core/arithmetic/lda.ts";
import type { Lda } from "../core/image/image-types.ts";
import { createRandom } from "../core/system/random.ts";
import { countWindowFrames, isScored, type Recording, scoredWindows } from "../data/recording.ts";
import { asLogits, fixedPoint } from "../personalize/logit-scale.ts";
import type { LdaPrior } from "../personalize/prior.ts";
import { LOGIT_ONE } from "../policy/certify/replay.ts";
import { type Augmentation, drawDisturbance, noAugmentation } from "./augment.ts";
import { type ClassOf, type FeatureConfig, quantizeFrames } from "./batches.ts";
import { CLIP_DEVIATIONS, fitDiscriminant } from "./discriminant.ts";
import { INPUT_SCALE } from "./net-constants.ts";

/** How a window's statistics weigh in. */
export interface LdaRecipe {
  readonly shrinkage: number; // of the discriminant's covariance, 0…1
  readonly rotationRadians: Augmentation["rotationRadians"]; // each window is read a second time, turned; all 0 = no second time
  /** Of its log probabilities in a logit: a window's statistics stray further between wearers than within one. "fitting": as large as the core's integers hold. */
  readonly share: number | "fitting";
  readonly offsets: readonly number[]; // (nClasses,) added to each logit; with a fitting share to each log probability
}

const BETWEEN_TRANSITION_FRAMES = 16;
const [S16_MIN, S16_MAX] = [-32768 / LOGIT_ONE, 32767 / LOGIT_ONE];

/** An LDA head and the prior of its adaptation; no prior if a class was in no recording. */
export interface FittedLda {
  readonly lda: Lda;
  readonly prior: LdaPrior | undefined;
}

/** Statistics of windows, a row each, and their classes. */
export interface StatisticRows {
  readonly rows: readonly Int32Array[];
  readonly labels: readonly number[];
}

/**
 * LDA head fitted to recordings: the published windows of their scored labels, and windows that end in any other labelled stretch; as they
 * are, and turned as the sensor may sit on somebody else. The same bits at every call.
 */
export function fitLda(
  recordings: readonly Recording[],
  features: FeatureConfig,
  classOf: ClassOf,
  nClasses: number,
  { shrinkage, rotationRadians, share, offsets }: LdaRecipe & { readonly share: number },
): FittedLda {
  const { rows, labels } = readStatistics(recordings, features, classOf, rotationRadians);
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const { mean, deviation, weights, bias, centres, precision } = fitDiscriminant(
    rows,
    labels.map((label) => present.indexOf(label)),
    present.length,
    shrinkage,
  );
  const own = asLogits(weights, bias, deviation, share);
  const slopes = new Float64Array(mean.length * nClasses); // 0, the classes' mean, for an absent class
  const levels = Float64Array.from(offsets, (offset) => offset * LOGIT_ONE);
  for (const [k, c] of present.entries()) {
    for (let f = 0; f < mean.length; f++) slopes[f * nClasses + c] = own.slopes[f * present.length + k]!;
    levels[c]! += own.levels[k]!;
  }
  const lda = {
    means: Int32Array.from(mean, Math.round),
    limits: Int32Array.from(deviation, (value) => Math.min(LIMIT_LDA_LIMIT, Math.round(CLIP_DEVIATIONS * value))),
    ...fixedPoint({ slopes, levels }),
  };
  return { lda, prior: present.length === nClasses ? { deviations: deviation, centres, precision, share } : undefined };
}

/** What a discriminant learns from: each window as it is, and turned unless all rotations are 0. */
export function readStatistics(
  recordings: readonly Recording[],
  features: FeatureConfig,
  classOf: ClassOf,
  rotationRadians: Augmentation["rotationRadians"],
): StatisticRows {
  const random = createRandom(1);
  const turned: Augmentation = { ...noAugmentation, rotationRadians };
  const rows: Int32Array[] = [];
  const labels: number[] = [];
  for (const recording of recordings) {
    for (const { start, label } of windowsOf(recording)) {
      if (classOf(label) < 0) continue;
      rows.push(statisticsOf(readWindow(recording, start, features), features));
      labels.push(classOf(label));
      if (rotationRadians.every((deviation) => deviation === 0)) continue;
      const disturbance = drawDisturbance(features.stepCounts.length, turned, random);
      rows.push(statisticsOf(readWindow(recording, start, features, { ...disturbance, random }), features));
      labels.push(classOf(label));
    }
  }
  return { rows, labels };
}

/** Adds an LDA head's logits, (nClasses,) Q10, to the logits of every exit from value `at` on; as the core does, within what s16 holds. */
export function addLdaToExits(exits: readonly (Float32Array | Float64Array)[], at: number, said: Int16Array): void {
  for (const exit of exits)
    for (let c = 0; c < said.length; c++) exit[at + c] = Math.max(S16_MIN, Math.min(S16_MAX, exit[at + c]! + said[c]! / LOGIT_ONE));
}

/** Number of parameters of an LDA head. */
export function countLdaParameters({ means, limits, weights, bias }: Lda): number {
  return means.length + limits.length + weights.length + bias.length;
}

function windowsOf(recording: Recording): { readonly start: number; readonly label: number }[] {
  const others = recording.segments
    .filter(({ label }) => !isScored(recording, label))
    .flatMap(({ label, start, end }) =>
      Array.from({ length: Math.ceil((end - start) / BETWEEN_TRANSITION_FRAMES) }, (_, i) => ({
        start: start + i * BETWEEN_TRANSITION_FRAMES + 1 - countWindowFrames(recording),
        label,
      })),
    );
  return [...scoredWindows(recording), ...others].filter(({ start }) => start >= 0);
}

/** LDA logits of the window that starts at frame `start`, (nClasses,) Q10. */
export function computeLdaLogitsAt(lda: Lda, recording: Recording, start: number, features: FeatureConfig): Int16Array {
  return computeFrameLdaLogits(lda, readWindow(recording, start, features), features);
}

/** LDA logits of a window (frames, channels) as a net reads it in training. */
export function computeFrameLdaLogits(lda: Lda, window: Float32Array, features: FeatureConfig): Int16Array {
  return computeLdaLogits(lda, stepsOf(window), kneesOf(features));
}

/** Statistics of the window that starts at frame `start`. */
export function statisticsAt(recording: Recording, start: number, features: FeatureConfig): Int32Array {
  return statisticsOf(readWindow(recording, start, features), features);
}

function statisticsOf(window: Float32Array, features: FeatureConfig): Int32Array {
  return windowStatistics(stepsOf(window), kneesOf(features));
}

function readWindow(
  recording: Recording,
  start: number,
  features: FeatureConfig,
  disturbance?: Parameters<typeof quantizeFrames>[4],
): Float32Array {
  const window = new Float32Array(countWindowFrames(recording) * features.stepCounts.length);
  quantizeFrames(recording.frames, start, window, features, disturbance);
  return window;
}

/** A net's input as the core has it. */
function stepsOf(window: Float32Array): Int8Array {
  return Int8Array.from(window, (value) => Math.round(value / INPUT_SCALE));
}

function kneesOf({ stepCounts, kneeSteps }: FeatureConfig): number[] {
  return stepCounts.map((_, c) => kneeSteps?.[c] ?? 0);
}
