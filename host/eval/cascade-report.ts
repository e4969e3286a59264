import { accuracyAskingLowest, type CascadeDecision, type CascadeScore, scoreCascade } from "../policy/certify/cascade.ts";
import { apart } from "../policy/certify/decision-group.ts";
import { certifyThresholds } from "../policy/certify/learn-then-test.ts";
import { cappedThresholds } from "../policy/certify/operating-point.ts";
import { reliability } from "../policy/certify/reliability.ts";
import { gradeExitDecisions, MIN_ANSWERED } from "./decide.ts";
import { computeGuarantee, type Guarantee, type GuaranteeOptions } from "./guarantee.ts";

/** Share of decisions that the capped operating point may ask about: one in seven. */
const ASKED_CAP = 1 / 7;
const CURVE_POINTS = 21;

/** Decisions of wearers in their roles; the scored ones choose nothing. */
export interface CascadeGroups {
  readonly scored: readonly CascadeDecision[];
  readonly tuning: readonly (readonly CascadeDecision[])[];
  readonly certifying: readonly CascadeDecision[];
}

/** A set of thresholds and what it does to the scored wearers. */
export interface Point {
  readonly point: string; // which operating point this is
  readonly accuracy: number;
  readonly askedFraction: number;
  readonly cloudComputeFraction: number;
  readonly cloudWordFraction: number; // of the asks: the cloud was surer
  readonly thresholds: readonly number[]; // probability; above 1 = the exit may not answer
}

export interface CascadeReport {
  readonly windows: number;
  readonly edge: { readonly accuracy: number; readonly ece: number }; // the last exit alone
  readonly cloud: { readonly accuracy: number; readonly ece: number };
  readonly cascade: Point & CascadeScore; // under the cap
  readonly certified?: Point & CascadeScore; // where it differs
  readonly guarantee: Guarantee;
  readonly cap: { readonly askedFraction: number; readonly tuning: readonly { askedFraction: number; accuracy: number }[] };
  readonly curve: readonly { readonly askedFraction: number; readonly accuracy: number }[];
  readonly calibration: Readonly<Record<"edge" | "cloud", ReturnType<typeof reliability>>>;
  readonly byWearer: readonly object[];
}

/** Chooses both operating points on the other wearers and scores them. */
export function cascadeReport({ scored, tuning, certifying }: CascadeGroups, options: GuaranteeOptions): CascadeReport {
  const { alpha, delta } = options;
  const certificate = certifyThresholds([apart(gradeExitDecisions(certifying))], { alpha, delta, minAnswered: MIN_ANSWERED });
  const certifiedThresholds = certificate.map(({ thresholdQ15 }) => thresholdQ15);
  const capped = cappedThresholds(tuning, ASKED_CAP);
  const isSame = capped.thresholds.every((threshold, k) => threshold === certifiedThresholds[k]);
  const isEdgeRight = scored.map(({ exits, truth }) => exits.at(-1)!.label === truth);
  const isCloudRight = scored.map(({ cloud, truth }) => cloud.label === truth);
  const edge = reliability(scored.map(confidenceOfEdge), isEdgeRight);
  const cloud = reliability(
    scored.map((decision) => decision.cloud.confidence),
    isCloudRight,
  );
  return {
    windows: scored.length,
    edge: { accuracy: shareOf(isEdgeRight), ece: edge.ece },
    cloud: { accuracy: shareOf(isCloudRight), ece: cloud.ece },
    cascade: {
      point: isSame ? "capped and certified: the two are the same" : "capped: chosen to ask about at most one in seven, not certified",
      ...pointOf(scored, capped.thresholds),
    },
    ...(isSame
      ? {}
      : { certified: { point: `certified: at most ${alpha} wrong among local answers`, ...pointOf(scored, certifiedThresholds) } }),
    guarantee: computeGuarantee(scored, certificate, certifying, options),
    cap: {
      askedFraction: ASKED_CAP,
      tuning: capped.askedFractions.map((askedFraction, g) => ({ askedFraction, accuracy: capped.accuracies[g]! })),
    },
    curve: cascadeCurve(scored),
    calibration: { edge, cloud },
    byWearer: [...new Set(scored.map(({ wearer }) => wearer))].map((user) => {
      const own = scored.filter(({ wearer }) => wearer === user);
      const { accuracy, askedFraction } = scoreCascade(own, capped.thresholds);
      return { user, windows: own.length, edge: lastExitAccuracy(own), accuracy, askedFraction };
    }),
  };
}

/** The device's own confidence at its last exit, 0…1. */
function confidenceOfEdge({ exits }: CascadeDecision): number {
  return exits.at(-1)!.confidenceQ15 / 32768;
}

function pointOf(decisions: readonly CascadeDecision[], thresholdsQ15: readonly number[]): CascadeScore & Pick<Point, "thresholds"> {
  return { ...scoreCascade(decisions, thresholdsQ15), thresholds: thresholdsQ15.map((q15) => q15 / 32768) };
}

function lastExitAccuracy(decisions: readonly CascadeDecision[]): number {
  return shareOf(decisions.map(({ exits, truth }) => exits.at(-1)!.label === truth));
}

function shareOf(isTrue: readonly boolean[]): number {
  return isTrue.filter(Boolean).length / Math.max(1, isTrue.length);
}

/** Asked against right, from asking nothing to asking everything, the least sure first. */
function cascadeCurve(decisions: readonly CascadeDecision[]): CascadeReport["curve"] {
  const confidence = decisions.map(confidenceOfEdge);
  return Array.from({ length: CURVE_POINTS }, (_, i) => {
    const askedFraction = i / (CURVE_POINTS - 1);
    return { askedFraction, accuracy: accuracyAskingLowest(decisions, confidence, askedFraction) };
  });
}
