import { bootstrapInterval, type Interval } from "../policy/certify/bootstrap.ts";
import { type CascadeDecision, scoreCascade } from "../policy/certify/cascade.ts";
import { clopperPearsonUpper } from "../policy/certify/clopper-pearson.ts";
import type { CertifiedExit } from "../policy/certify/learn-then-test.ts";

export interface GuaranteeOptions {
  readonly alpha: number;
  readonly delta: number;
  /** Draws wearers; seeded by the caller. */
  readonly random: { integer(n: number): number };
}

const BOOTSTRAP_DRAWS = 10_000;

/** What was promised and what came of it. Rates are of decisions answered on the device under the certified thresholds. */
export interface Guarantee {
  readonly alpha: number;
  readonly delta: number;
  readonly thresholds: readonly number[]; // probability; above 1 = the exit may not answer
  readonly isCertified: boolean; // some exit may answer
  readonly certifiedOn: { readonly decisions: number; readonly wearers: number; readonly coverage: number; readonly errorBound: number };
  readonly coverage: number;
  readonly localErrorRate: number | null; // null: nothing was answered on the device
  readonly localErrorBound: number; // exact upper bound at delta, windows taken as independent
  readonly wearerInterval: Interval; // of the rate, wearers drawn with replacement
}

/** Holds a certificate against decisions that it has not seen. */
export function computeGuarantee(
  scored: readonly CascadeDecision[],
  certificate: readonly CertifiedExit[],
  certifying: readonly CascadeDecision[],
  { alpha, delta, random }: GuaranteeOptions,
): Guarantee {
  const thresholds = certificate.map(({ thresholdQ15 }) => thresholdQ15);
  const { coverage, localErrors, localAnswers } = scoreCascade(scored, thresholds);
  const clusters = wearersOf(scored).map((wearer) => {
    const own = scored.filter((decision) => decision.wearer === wearer);
    const score = scoreCascade(own, thresholds);
    return { sum: score.localErrors, weight: score.localAnswers };
  });
  return {
    alpha,
    delta,
    thresholds: thresholds.map((q15) => q15 / 32768),
    isCertified: certificate.some(({ answered }) => answered > 0),
    certifiedOn: {
      decisions: certifying.length,
      wearers: wearersOf(certifying).length,
      coverage: certificate.reduce((sum, exit) => sum + exit.coverage, 0),
      errorBound: certificate.at(-1)?.errorBound ?? 1,
    },
    coverage,
    localErrorRate: localAnswers === 0 ? null : localErrors / localAnswers,
    localErrorBound: clopperPearsonUpper(localErrors, localAnswers, delta),
    wearerInterval: bootstrapInterval(clusters, { random, draws: BOOTSTRAP_DRAWS }),
  };
}

function wearersOf(decisions: readonly CascadeDecision[]): string[] {
  return [...new Set(decisions.map(({ wearer }) => wearer))];
}
