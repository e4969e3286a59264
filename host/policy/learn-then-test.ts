import { EXIT_NEVER } from "../../assembly/layout.ts";
import { clopperPearsonUpper } from "./clopper-pearson.ts";
import type { ExitDecisions } from "./exit-decisions.ts";

export interface CertifyOptions {
  readonly alpha: number; // P(wrong | answered locally) that is certified
  readonly delta: number; // probability that the certificate is wrong
  readonly minAnswered: number; // fewer answered decisions certify nothing
}

/** What certification found for one exit. */
export interface CertifiedExit {
  readonly thresholdQ15: number; // EXIT_NEVER = may not answer
  readonly coverage: number; // share of calibration decisions answered here
  readonly errorBound: number; // exact upper bound at delta on P(wrong | answered here or at an exit before)
  readonly answered: number; // decisions answered here
  readonly wrong: number; // of those
}

const thresholdStepQ15 = 128;
const highestQ15 = 32640; // 0.996: above it rounding of the core's softmax decides
const lowestQ15 = 16384; // an answer less likely than not is no answer

/**
 * Thresholds by Learn-then-Test (Angelopoulos et al., arXiv 2110.01052), fixed sequence.
 *
 * Exit by exit, with the thresholds of the exits before it held: walk the threshold down from the strictest; at each step the
 * hypothesis "P(wrong | answered at this exit or before) > alpha" must be rejected by the exact binomial test at
 * delta / nExits in every group of `groups`; stop at the first that is not. delta is shared out over the exits, so the bound is
 * meant to hold also where a set-point cuts the cascade short at any of them. Decisions count as independent draws: the caller reports a
 * bootstrap over wearers beside it.
 */
export function certifyThresholds(groups: readonly ExitDecisions[], options: CertifyOptions): CertifiedExit[] {
  const nExits = groups[0]!.right.length;
  const level = options.delta / nExits;
  const answeredAt = groups.map(({ right }) => new Int8Array(right[0]!.length).fill(-1));
  const exits: CertifiedExit[] = [];
  for (let k = 0; k < nExits; k++) {
    const thresholdQ15 = walkDown(groups, answeredAt, k, level, options);
    let here = 0;
    let wrongHere = 0;
    let total = 0;
    let bound = 0;
    groups.forEach((group, g) => {
      const at = answeredAt[g]!;
      const all = tally(group, at, k, thresholdQ15);
      bound = Math.max(bound, clopperPearsonUpper(all.wrong, all.answered, level));
      for (let i = 0; i < at.length; i++) {
        total++;
        if (at[i]! >= 0 || group.confidenceQ15[k]![i]! < thresholdQ15) continue;
        at[i] = k;
        here++;
        if (!group.right[k]![i]) wrongHere++;
      }
    });
    exits.push({ thresholdQ15, coverage: here / total, errorBound: bound, answered: here, wrong: wrongHere });
  }
  return exits;
}

/** The laxest threshold of exit k that every group certifies in one unbroken walk; EXIT_NEVER if none. */
function walkDown(
  groups: readonly ExitDecisions[],
  answeredAt: readonly Int8Array[],
  k: number,
  level: number,
  { alpha, minAnswered }: CertifyOptions,
): number {
  let threshold = EXIT_NEVER;
  for (let candidate = highestQ15; candidate >= lowestQ15; candidate -= thresholdStepQ15) {
    const tallies = groups.map((group, g) => tally(group, answeredAt[g]!, k, candidate));
    const isTested = tallies.every(({ answered }) => answered >= minAnswered);
    const isRejected = tallies.every(
      ({ answered, wrong }) => answered < minAnswered || clopperPearsonUpper(wrong, answered, level) <= alpha,
    );
    if (!isRejected) break;
    if (isTested) threshold = candidate; // too few to say: go on, but stay uncertified until there are enough
  }
  return threshold;
}

/** Decisions of the cascade up to exit k with this threshold there. */
function tally(group: ExitDecisions, answeredAt: Int8Array, k: number, threshold: number): { answered: number; wrong: number } {
  let answered = 0;
  let wrong = 0;
  for (let i = 0; i < answeredAt.length; i++) {
    const exit = answeredAt[i]! >= 0 ? answeredAt[i]! : group.confidenceQ15[k]![i]! >= threshold ? k : -1;
    if (exit < 0) continue;
    answered++;
    if (!group.right[exit]![i]) wrong++;
  }
  return { answered, wrong };
}
