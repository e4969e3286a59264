import { EXIT_NEVER } from "../../assembly/layout.ts";
import { clopperPearsonUpper } from "./clopper-pearson.ts";
import type { ScoredWindows } from "./net-evaluator.ts";

export interface CalibrateOptions {
  readonly alpha: number; // P(wrong | answered locally) that is certified
  readonly delta: number; // probability that the certificate is wrong
  readonly minAnswered: number; // fewer answered windows certify nothing
}

/** What calibration found for one exit. */
export interface CalibratedExit {
  readonly temperature: number;
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
 * Temperatures by least negative log likelihood, then thresholds by Learn-then-Test (arXiv 2110.01052), fixed sequence.
 *
 * Exit by exit, with the thresholds of the exits before it held: walk the threshold down from the strictest; at each step the
 * hypothesis "P(wrong | answered at this exit or before) > alpha" must be rejected by the exact binomial test at
 * delta / nExits in every group of `groups` (window, stream); stop at the first that is not. The union over exits keeps
 * delta, so the bound also holds where a set-point cuts the cascade short at any exit.
 */
export function calibrateExits(groups: readonly ScoredWindows[], options: CalibrateOptions): CalibratedExit[] {
  const nExits = groups[0]!.logits.length;
  const temperatures = Array.from({ length: nExits }, (_, k) => fitTemperature(groups, k));
  const decisions = groups.map((group) => readDecisions(group, temperatures));
  const level = options.delta / nExits;
  const answeredAt = decisions.map(({ right }) => new Int8Array(right[0]!.length).fill(-1));
  const exits: CalibratedExit[] = [];
  for (let k = 0; k < nExits; k++) {
    let threshold = EXIT_NEVER;
    for (let candidate = highestQ15; candidate >= lowestQ15; candidate -= thresholdStepQ15) {
      const isRejected = decisions.every((group, g) => {
        const { answered, wrong } = tally(group, answeredAt[g]!, k, candidate);
        if (answered < options.minAnswered) return true; // too few to say: go on, but stay uncertified until there are enough
        return clopperPearsonUpper(wrong, answered, level) <= options.alpha;
      });
      if (!isRejected) break;
      if (decisions.every((group, g) => tally(group, answeredAt[g]!, k, candidate).answered >= options.minAnswered)) threshold = candidate;
    }
    let here = 0;
    let wrongHere = 0;
    let total = 0;
    let bound = 0;
    decisions.forEach((group, g) => {
      const at = answeredAt[g]!;
      const all = tally(group, at, k, threshold);
      bound = Math.max(bound, clopperPearsonUpper(all.wrong, all.answered, level));
      for (let i = 0; i < at.length; i++) {
        total++;
        if (at[i]! >= 0 || group.confidence[k]![i]! < threshold) continue;
        at[i] = k;
        here++;
        if (!group.right[k]![i]) wrongHere++;
      }
    });
    exits.push({
      temperature: temperatures[k]!,
      thresholdQ15: threshold,
      coverage: here / total,
      errorBound: bound,
      answered: here,
      wrong: wrongHere,
    });
  }
  return exits;
}

interface Decisions {
  readonly right: readonly Uint8Array[]; // per exit
  readonly confidence: readonly Float64Array[]; // per exit, Q15
}

function readDecisions(group: ScoredWindows, temperatures: readonly number[]): Decisions {
  const n = group.labels.length;
  const right: Uint8Array[] = [];
  const confidence: Float64Array[] = [];
  group.logits.forEach((logits, k) => {
    const classes = logits.length / n;
    right.push(new Uint8Array(n));
    confidence.push(new Float64Array(n));
    for (let i = 0; i < n; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const best = row.indexOf(Math.max(...row));
      right[k]![i] = best === group.labels[i] ? 1 : 0;
      let sum = 0;
      for (const value of row) sum += Math.exp((value - row[best]!) / temperatures[k]!);
      confidence[k]![i] = 32768 / sum;
    }
  });
  return { right, confidence };
}

/** Decisions of the cascade up to exit k with this threshold there. */
function tally(group: Decisions, answeredAt: Int8Array, k: number, threshold: number): { answered: number; wrong: number } {
  let answered = 0;
  let wrong = 0;
  for (let i = 0; i < answeredAt.length; i++) {
    const exit = answeredAt[i]! >= 0 ? answeredAt[i]! : group.confidence[k]![i]! >= threshold ? k : -1;
    if (exit < 0) continue;
    answered++;
    if (!group.right[exit]![i]) wrong++;
  }
  return { answered, wrong };
}

/** Golden-section search for the temperature in 0.2…5 with the least mean negative log likelihood, groups weighing the same. */
export function fitTemperature(groups: readonly ScoredWindows[], exit: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = Math.log(0.2);
  let high = Math.log(5);
  const cost = (logTemperature: number): number =>
    groups.reduce((sum, group) => sum + negativeLogLikelihood(group, exit, Math.exp(logTemperature)), 0);
  let left = high - ratio * (high - low);
  let right = low + ratio * (high - low);
  let costLeft = cost(left);
  let costRight = cost(right);
  for (let i = 0; i < 30; i++) {
    if (costLeft < costRight) {
      high = right;
      right = left;
      costRight = costLeft;
      left = high - ratio * (high - low);
      costLeft = cost(left);
    } else {
      low = left;
      left = right;
      costLeft = costRight;
      right = low + ratio * (high - low);
      costRight = cost(right);
    }
  }
  return Math.exp((low + high) / 2);
}

function negativeLogLikelihood(group: ScoredWindows, exit: number, temperature: number): number {
  const n = group.labels.length;
  const logits = group.logits[exit]!;
  const classes = logits.length / n;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const top = Math.max(...row);
    let sum = 0;
    for (const value of row) sum += Math.exp((value - top) / temperature);
    total += Math.log(sum) - (row[group.labels[i]!]! - top) / temperature;
  }
  return total / n;
}
