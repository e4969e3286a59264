import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { clopperPearsonUpper } from "./clopper-pearson.ts";
import type { DecisionGroup, Tally } from "./decision-group.ts";

export interface CertifyOptions {
  readonly alpha: number; // P(wrong | answered locally) that is certified
  readonly delta: number; // probability that the certificate is wrong
  readonly minAnswered: number; // fewer answered decisions certify nothing
}

/** What certification found for one exit. */
export interface CertifiedExit {
  readonly thresholdQ15: number; // EXIT_NEVER = may not answer
  readonly coverage: number; // share of calibration decisions answered here
  readonly errorBound: number; // exact upper bound on P(wrong | answered here or at an exit before), at the level it was tested at; 1 = none answered
  readonly answered: number; // decisions answered here
  readonly wrong: number; // of those
}

const thresholdStepQ15 = 128;
const highestQ15 = 32640; // 0.996: above it rounding of the core's softmax decides
const lowestQ15 = 16384; // an answer less likely than not is no answer
/** Where a walk gets its shares of delta: 0.996, 0.992, 0.988, 0.98 and 0.95, all on the walk's grid. */
const startsQ15: readonly number[] = [highestQ15, 32512, 32384, 32128, 31104];
/** Share of the decisions that an earlier path may leave unanswered and still be kept: it lets exits answer that save compute. */
const coverageSlack = 0.05;

/**
 * Thresholds by Learn-then-Test (Angelopoulos et al., arXiv 2110.01052): risks are tested, not estimated, along paths that are fixed
 * before any label is seen.
 *
 * - *Paths.* Path f has one threshold λ for the exits from f on, and the exits before f never answer; λ goes from strict to lax.
 * - *Hypotheses.* At each λ: "P(wrong | answered at exit f … k, k being the deepest) > alpha for some exit k ≥ f, in some group". It is
 *   rejected if the exact binomial bound is at most alpha for every such k in every group, each at the whole level of the test: an
 *   intersection–union test pays nothing for asking more (Berger, Technometrics 24, 1982). So a set-point may cut the cascade short at
 *   any exit (and keep it there: smoothed decisions hang on those before, which a cut in between would change).
 * - *Walks.* A path has delta / nExits, in equal shares at the starts. At λ the level is the share that starts there and what the λ
 *   before has passed on: its whole level if it was rejected, else nothing. So a λ too strict to have `minAnswered` decisions (which is
 *   never rejected) does not end the walk, and it costs only its share. The chance to reject any true hypothesis is at most the sum of
 *   the shares (fallback procedure: Wiens, Pharmaceutical Statistics 2, 2003; a fixed sequence is its case of one start).
 * - *Choice.* All that was rejected on all paths holds together with probability 1 − delta (Bonferroni over paths), so any may be kept,
 *   for whatever reason: it is the earliest path whose coverage is within `coverageSlack` of the largest.
 *
 * Decisions count as independent draws: the caller reports a bootstrap over wearers beside it.
 */
export function certifyThresholds(groups: readonly DecisionGroup[], options: CertifyOptions): CertifiedExit[] {
  const { nExits } = groups[0]!;
  const total = groups.reduce((sum, { size }) => sum + size, 0);
  const paths = Array.from({ length: nExits }, (_, first) => {
    const found = walk(groups, first, options.delta / nExits, options);
    return Array.from({ length: nExits }, (_, k) => (found && k >= first ? certifiedExit(groups, first, found, k, total) : notCertified));
  });
  const most = Math.max(...paths.map(coverageOf));
  return paths.find((exits) => coverageOf(exits) >= most - coverageSlack && coverageOf(exits) > 0) ?? paths[0]!;
}

/** An exit that may not answer. */
export const notCertified: CertifiedExit = { thresholdQ15: EXIT_NEVER, coverage: 0, errorBound: 1, answered: 0, wrong: 0 };

/** A rejected hypothesis. */
interface Rejected {
  readonly thresholdQ15: number;
  readonly level: number; // that it was tested at
}

/** The laxest λ that is rejected on path `first`, whose starts share `delta`. */
function walk(
  groups: readonly DecisionGroup[],
  first: number,
  delta: number,
  { alpha, minAnswered }: CertifyOptions,
): Rejected | undefined {
  const { nExits } = groups[0]!;
  let passedOn = 0;
  let laxest: Rejected | undefined;
  for (let thresholdQ15 = highestQ15; thresholdQ15 >= lowestQ15; thresholdQ15 -= thresholdStepQ15) {
    const level = passedOn + (startsQ15.includes(thresholdQ15) ? delta / startsQ15.length : 0);
    if (level === 0) continue;
    const isRejected = groups.every((group) =>
      Array.from({ length: nExits - first }, (_, i) => first + i).every((last) => {
        const { answered, wrong } = together(group.answers(thresholdQ15, first, last));
        return answered >= minAnswered && clopperPearsonUpper(wrong, answered, level) <= alpha;
      }),
    );
    passedOn = isRejected ? level : 0;
    if (isRejected) laxest = { thresholdQ15, level };
  }
  return laxest;
}

/** Fewest answers of each group, none of them wrong, from which `nExits` exits can be certified at all. */
export function leastAnswered({ alpha, delta, minAnswered }: CertifyOptions, nExits: number): number {
  const level = delta / nExits / startsQ15.length; // that a walk begins at; the bound of no failures in n is 1 − level^(1/n)
  return Math.max(minAnswered, Math.ceil(Math.log(level) / Math.log1p(-alpha)));
}

function together(tallies: readonly Tally[]): Tally {
  return tallies.reduce((sum, { answered, wrong }) => ({ answered: sum.answered + answered, wrong: sum.wrong + wrong }));
}

function certifiedExit(
  groups: readonly DecisionGroup[],
  first: number,
  { thresholdQ15, level }: Rejected,
  k: number,
  total: number,
): CertifiedExit {
  const { answered, wrong } = together(groups.map((group) => group.answers(thresholdQ15, first, group.nExits - 1)[k]!));
  const cut = groups.map((group) => together(group.answers(thresholdQ15, first, k)));
  const bounds = cut.map((all) => clopperPearsonUpper(all.wrong, all.answered, level));
  return { thresholdQ15, coverage: answered / total, errorBound: Math.max(...bounds), answered, wrong };
}

function coverageOf(exits: readonly CertifiedExit[]): number {
  return exits.reduce((sum, { coverage }) => sum + coverage, 0);
}
