import { countWindowFrames, type Recording, scoredWindows } from "../data/recording.ts";
import type { ShownDecision } from "../eval/score-events.ts";
import type { ClassOf, FeatureConfig } from "./batches.ts";
import { discriminantScores, fitDiscriminant } from "./discriminant.ts";
import { statisticsAt } from "./fit-lda.ts";

/** What a simple method makes of windows: an agent should be better. */
export interface Baseline {
  readonly majorityClass: number; // the most frequent of the windows that it was fitted to
  /** Class of the window that starts at frame `start`, by a linear discriminant of its statistics. */
  classify(recording: Recording, start: number): number;
  /** Its decisions over a whole recording, one every `hopFrames`. */
  watch(recording: Recording, hopFrames: number): ShownDecision[];
}

/** Of the discriminant's covariance. */
const SHRINKAGE = 0.1;

/** Fits a linear discriminant of window statistics, with the classes' own frequencies as priors, to the scored windows of recordings. */
export function fitBaseline(recordings: readonly Recording[], features: FeatureConfig, classOf: ClassOf, nClasses: number): Baseline {
  const rows: Int32Array[] = [];
  const labels: number[] = [];
  for (const recording of recordings)
    for (const { start, label } of scoredWindows(recording)) {
      rows.push(statisticsAt(recording, start, features));
      labels.push(classOf(label));
    }
  const counts = Array.from({ length: nClasses }, (_, c) => labels.filter((label) => label === c).length);
  const present = counts.flatMap((count, c) => (count > 0 ? [c] : []));
  const ranks = labels.map((label) => present.indexOf(label));
  const fitted = fitDiscriminant(rows, ranks, present.length, SHRINKAGE);
  const discriminant = { ...fitted, bias: fitted.bias.map((value, k) => value + Math.log(counts[present[k]!]! / labels.length)) };
  const classify = (recording: Recording, start: number): number => {
    const scores = discriminantScores(discriminant, statisticsAt(recording, start, features));
    return present[scores.indexOf(Math.max(...scores))]!;
  };
  return {
    majorityClass: counts.indexOf(Math.max(...counts)),
    classify,
    watch(recording, hopFrames) {
      const frames = countWindowFrames(recording);
      const shown: ShownDecision[] = [];
      for (let start = 0; start + frames <= recording.labels.length; start += hopFrames)
        shown.push({ frame: start + frames - 1, label: classify(recording, start) });
      return shown;
    },
  };
}
