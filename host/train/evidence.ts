import { LIMIT_EVIDENCE_LIMIT, LIMIT_EVIDENCE_SHIFT } from "../../assembly/layout.ts";
import { isScored, type Recording, scoredWindows, WINDOW_FRAMES } from "../agent/recording.ts";
import type { Evidence } from "../core/image-types.ts";
import { windowStatistics } from "../core/reference/evidence.ts";
import { LOGIT_ONE } from "../policy/replay.ts";
import { type ClassOf, type FeatureConfig, quantizeFrames } from "./batches.ts";
import { CLIP_DEVIATIONS, fitDiscriminant } from "./discriminant.ts";
import { INPUT_SCALE } from "./net-config.ts";

/** How a window's statistics weigh in. */
export interface EvidenceRecipe {
  readonly shrinkage: number; // of the discriminant's covariance, 0…1
  readonly share: number; // of its log probabilities in a logit: a window's statistics stray further between wearers than within one
  readonly offsets: readonly number[]; // (nClasses,) added to each logit
}

const BETWEEN_TRANSITION_FRAMES = 16;
const S16_MAX = 32767;
const S32_MAX = 2 ** 31 - 1;

/**
 * Evidence fitted to recordings: the published windows of their scored labels, and windows that end in any other labelled stretch. Undisturbed:
 * a discriminant of statistics needs no more than a few thousand.
 */
export function fitEvidence(
  recordings: readonly Recording[],
  features: FeatureConfig,
  classOf: ClassOf,
  nClasses: number,
  { shrinkage, share, offsets }: EvidenceRecipe,
): Evidence {
  const rows: Int32Array[] = [];
  const labels: number[] = [];
  for (const recording of recordings) {
    for (const { start, label } of windowsOf(recording)) {
      if (classOf(label) < 0) continue;
      rows.push(statisticsAt(recording, start, features));
      labels.push(classOf(label));
    }
  }
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const { mean, deviation, weights, bias } = fitDiscriminant(
    rows,
    labels.map((label) => present.indexOf(label)),
    present.length,
    shrinkage,
  );
  // Per class and statistic, in Q10 logits a unit; about the classes' mean, which changes no softmax and is all that an absent class gets.
  const slopes = new Float64Array(mean.length * nClasses);
  for (let f = 0; f < mean.length; f++) {
    const own = present.map((_, k) => weights[k * mean.length + f]!);
    const middle = meanOf(own);
    for (const [k, c] of present.entries()) slopes[f * nClasses + c] = ((own[k]! - middle) * share * LOGIT_ONE) / deviation[f]!;
  }
  const levels = Float64Array.from(offsets, (offset) => offset * LOGIT_ONE);
  const middle = meanOf(bias);
  for (const [k, c] of present.entries()) levels[c]! += (bias[k]! - middle) * share * LOGIT_ONE;
  const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const room = Math.min(S16_MAX / largest(slopes), S32_MAX / largest(levels));
  const shift = Math.max(0, Math.min(LIMIT_EVIDENCE_SHIFT, Math.floor(Math.log2(room))));
  return {
    means: Int32Array.from(mean, Math.round),
    limits: Int32Array.from(deviation, (value) => Math.min(LIMIT_EVIDENCE_LIMIT, Math.round(CLIP_DEVIATIONS * value))),
    weights: Int16Array.from(slopes, (value) => Math.round(value * 2 ** shift)),
    bias: Int32Array.from(levels, (value) => Math.round(value * 2 ** shift)),
    shift,
  };
}

/** Adds what evidence says, (nClasses,) Q10, to the logits of every exit from value `at` on. */
export function addEvidence(exits: readonly (Float32Array | Float64Array)[], at: number, said: Int16Array): void {
  for (const exit of exits) for (let c = 0; c < said.length; c++) exit[at + c]! += said[c]! / LOGIT_ONE;
}

/** Numbers that evidence is made of. */
export function evidenceParameters({ means, limits, weights, bias }: Evidence): number {
  return means.length + limits.length + weights.length + bias.length;
}

function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

function windowsOf(recording: Recording): { readonly start: number; readonly label: number }[] {
  const others = recording.segments
    .filter(({ label }) => !isScored(recording, label))
    .flatMap(({ label, start, end }) =>
      Array.from({ length: Math.ceil((end - start) / BETWEEN_TRANSITION_FRAMES) }, (_, i) => ({
        start: start + i * BETWEEN_TRANSITION_FRAMES + 1 - WINDOW_FRAMES,
        label,
      })),
    );
  return [...scoredWindows(recording), ...others].filter(({ start }) => start >= 0);
}

/** Statistics of the window that starts at frame `start`. */
export function statisticsAt({ frames }: Recording, start: number, features: FeatureConfig): Int32Array {
  const real = new Float32Array(WINDOW_FRAMES * features.stepCounts.length);
  quantizeFrames(frames, start, real, features);
  return statisticsOf(real, features);
}

/** Statistics of a window (frames, channels) as a net reads it in training. */
export function statisticsOf(window: Float32Array, { stepCounts, kneeSteps }: FeatureConfig): Int32Array {
  return windowStatistics(
    Int8Array.from(window, (value) => Math.round(value / INPUT_SCALE)),
    stepCounts.map((_, c) => kneeSteps?.[c] ?? 0),
  );
}
