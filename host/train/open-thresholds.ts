import type { Model } from "../core/session/model.ts";
import type { Recording } from "../data/recording.ts";
import { chooseExits, exitSavings } from "../eval/exit-savings.ts";

/** Thresholds without a certificate, and what they cost on the wearers that they were chosen on. */
export interface OpenThresholds {
  readonly thresholdsQ15: readonly number[]; // one an exit
  readonly accuracy: number; // of all decisions, those left to the cloud with the device's own label
  readonly fullAccuracy: number; // at full depth
  readonly coverage: readonly number[]; // share of decisions that each exit answers
  readonly asked: number; // share of decisions that are left to the cloud
  readonly computeShare: number; // of full depth
}

/** Accuracy that early exits may cost. */
const TOLERANCE = 0.005;
/** Share of decisions, the least sure, that the last exit leaves to the cloud. */
const ASKED_SHARE = 0.05;
/** Hops that the choice is made on, about: more change little and cost minutes. */
const MOST_HOPS = 6000;

/**
 * Thresholds of an image that nothing is certified of: those that save most compute at half a point of accuracy at most, and the last
 * exit's so that one decision in twenty is asked about. `gateProbabilityQ15`: of the last exit, for decisions at full depth.
 */
export function chooseOpenThresholds(model: Model, recordings: readonly Recording[], gateProbabilityQ15: Float64Array): OpenThresholds {
  const { image } = model;
  const some = fewer(recordings, MOST_HOPS * image.hopPatches * image.patchFrames);
  const { thresholdsQ15 } = chooseExits(model, [some], TOLERANCE, -1);
  const sorted = gateProbabilityQ15.slice().sort();
  const last = Math.floor(sorted[Math.floor(ASKED_SHARE * sorted.length)] ?? 0);
  const chosen = thresholdsQ15.map((threshold, k) => (k + 1 < thresholdsQ15.length ? threshold : last));
  const { accuracy, fullAccuracy, computeShare, early } = exitSavings(model, some, chosen, -1);
  const decisions = Math.max(1, early.decisions);
  const coverage = early.answeredByExit.map((answered) => answered / decisions);
  return { thresholdsQ15: chosen, accuracy, fullAccuracy, computeShare, coverage, asked: 1 - early.answered / decisions };
}

/** Whole recordings, every subject's in turn, until there are about so many frames. */
function fewer(recordings: readonly Recording[], frames: number): Recording[] {
  const subjects = [...new Set(recordings.map(({ subject }) => subject))];
  const own = subjects.map((subject) => recordings.filter((one) => one.subject === subject));
  const turns = Array.from({ length: Math.max(0, ...own.map(({ length }) => length)) }, (_, i) =>
    own.flatMap((all) => all[i] ?? []),
  ).flat();
  const chosen: Recording[] = [];
  let sum = 0;
  for (const recording of turns) {
    if (sum >= frames) break;
    chosen.push(recording);
    sum += recording.labels.length;
  }
  return chosen;
}
