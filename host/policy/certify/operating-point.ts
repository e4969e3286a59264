import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { type CascadeDecision, scoreCascade } from "./cascade.ts";

export interface OperatingPoint {
  readonly thresholds: readonly number[]; // Q15, one an exit
  readonly askedFractions: readonly number[]; // in each group
  readonly accuracies: readonly number[]; // in each group
}

/** Candidates of each of the two thresholds: quantiles of the gate probabilities seen. */
const quantiles = 60;

/**
 * Thresholds that ask about at most `cap` of every group and are most often right, groups (lists of wearers) weighing the same.
 * Two numbers are searched: one threshold that the exits before the last share, and the last exit's. Ties go to fewer asks, then
 * to the laxer early exits (less compute on the device). Nothing is certified by this.
 */
export function cappedThresholds(groups: readonly (readonly CascadeDecision[])[], cap: number): OperatingPoint {
  const decisions = groups.flat();
  const nExits = decisions[0]?.exits.length ?? 1;
  const early = candidates(decisions.flatMap(({ exits }) => exits.slice(0, -1).map(({ gateProbabilityQ15 }) => gateProbabilityQ15)));
  const last = candidates(decisions.map(({ exits }) => exits.at(-1)!.gateProbabilityQ15));
  let best: OperatingPoint | undefined;
  let bestMean = Number.NEGATIVE_INFINITY;
  let bestAsked = Number.POSITIVE_INFINITY;
  for (const earlyThreshold of early)
    for (const lastThreshold of last) {
      const thresholds = Array.from({ length: nExits }, (_, k) => (k + 1 < nExits ? earlyThreshold : lastThreshold));
      const scores = groups.map((group) => scoreCascade(group, thresholds));
      if (scores.some(({ askedFraction }) => askedFraction > cap)) break; // a stricter last threshold asks no less
      const mean = scores.reduce((sum, { accuracy }) => sum + accuracy, 0) / scores.length;
      const asked = scores.reduce((sum, { askedFraction }) => sum + askedFraction, 0) / scores.length;
      if (mean < bestMean || (mean === bestMean && asked >= bestAsked)) continue;
      best = {
        thresholds,
        askedFractions: scores.map(({ askedFraction }) => askedFraction),
        accuracies: scores.map(({ accuracy }) => accuracy),
      };
      bestMean = mean;
      bestAsked = asked;
    }
  return best!; // a last threshold of 0 asks nothing: it is always within the cap
}

/** 0 (always sure), quantiles of the values seen, EXIT_NEVER; ascending, without repeats. */
function candidates(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const seen = Array.from({ length: quantiles }, (_, i) => sorted[Math.floor((i / quantiles) * sorted.length)] ?? 0);
  return [...new Set([0, ...seen, EXIT_NEVER])];
}
