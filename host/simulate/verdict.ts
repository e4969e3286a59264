import type { NeverAsking } from "./baselines.ts";

/** Accuracy counts as equal within this: 0.02 points. */
export const ACCURACY_TOLERANCE = 0.0002;
/** Energy counts as equal within this share. */
export const ENERGY_TOLERANCE = 0.03;

/** A day by the two measures that a verdict weighs. */
interface Scored {
  readonly accuracy: number; // of the shown label; of an agent with an alarm its critical success index
  readonly joules: number; // of the whole device
}

/** The governed day against the best baseline that never asks and tells the same. */
export interface Verdict {
  readonly best: keyof NeverAsking;
  readonly accuracyAgainstBest: number; // share, governed less best
  readonly energyAgainstBest: number; // share of the best's joules, positive: governed takes more
  /** No less accurate and no dearer than the best, within the tolerances. */
  readonly isAsGood: boolean;
}

/** The most accurate baseline is the best; of those within the tolerance the one with the least energy. */
export function verdictOn(governed: Scored, baselines: Readonly<Record<keyof NeverAsking, Scored>>): Verdict {
  const { fullDepth, alwaysLocal } = baselines;
  const difference = fullDepth.accuracy - alwaysLocal.accuracy;
  const isFullBetter = Math.abs(difference) <= ACCURACY_TOLERANCE ? fullDepth.joules < alwaysLocal.joules : difference > 0;
  const best = isFullBetter ? "fullDepth" : "alwaysLocal";
  const accuracyAgainstBest = governed.accuracy - baselines[best].accuracy;
  const energyAgainstBest = governed.joules / baselines[best].joules - 1;
  const isAsGood = accuracyAgainstBest >= -ACCURACY_TOLERANCE && energyAgainstBest <= ENERGY_TOLERANCE;
  return { best, accuracyAgainstBest, energyAgainstBest, isAsGood };
}
