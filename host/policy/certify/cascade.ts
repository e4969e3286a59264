import { isCloudSurer } from "../govern/word.ts";

/** The output of an exit. */
export interface ExitWord {
  readonly label: number;
  readonly confidenceQ15: number; // how likely it is right
  readonly gateProbabilityQ15: number; // what its threshold is compared with
}

/** One decision as every exit would make it, the truth, and what the cloud answers if it is asked. */
export interface CascadeDecision {
  readonly truth: number; // class
  readonly wearer: string;
  readonly exits: readonly ExitWord[];
  readonly cloud: { readonly label: number; readonly confidence: number; readonly macs: number };
}

/** What a set of thresholds does to a set of decisions. */
export interface CascadeScore {
  readonly accuracy: number; // the label that has the word in the end
  readonly askedFraction: number;
  readonly cloudComputeFraction: number; // cloud MACs of the asks / cloud MACs if all were asked
  readonly cloudWordFraction: number; // share of the asks in which the cloud was the surer
  readonly coverage: number; // answered on the device
  readonly localErrors: number; // wrong of those
  readonly localAnswers: number;
}

/** Index of the first exit that is sure enough, −1 = none: ask. Thresholds Q15, one an exit. The core's rule: assembly/policy.ts. */
export function sureExit({ exits }: Pick<CascadeDecision, "exits">, thresholds: readonly number[]): number {
  return exits.findIndex(({ gateProbabilityQ15 }, k) => gateProbabilityQ15 >= thresholds[k]!);
}

/** Final label after the cloud's answer; the device's side is its last exit. */
export function wordAfterAsk({ exits, cloud }: CascadeDecision): number {
  const local = exits.at(-1)!;
  return isCloudSurer(cloud.confidence, local.confidenceQ15) ? cloud.label : local.label;
}

/** Scores the cascade {exits in order, then the cloud}. Every ask is answered. */
export function scoreCascade(decisions: readonly CascadeDecision[], thresholds: readonly number[]): CascadeScore {
  let right = 0;
  let asked = 0;
  let cloudWords = 0;
  let macsAsked = 0;
  let macsAll = 0;
  let localErrors = 0;
  for (const decision of decisions) {
    const { truth, exits, cloud } = decision;
    macsAll += cloud.macs;
    const exit = sureExit(decision, thresholds);
    if (exit >= 0) {
      if (exits[exit]!.label === truth) right++;
      else localErrors++;
      continue;
    }
    asked++;
    macsAsked += cloud.macs;
    if (isCloudSurer(cloud.confidence, exits.at(-1)!.confidenceQ15)) cloudWords++;
    if (wordAfterAsk(decision) === truth) right++;
  }
  const n = Math.max(1, decisions.length);
  const localAnswers = decisions.length - asked;
  return {
    accuracy: right / n,
    askedFraction: asked / n,
    cloudComputeFraction: macsAsked / Math.max(1, macsAll),
    cloudWordFraction: cloudWords / Math.max(1, asked),
    coverage: localAnswers / n,
    localErrors,
    localAnswers,
  };
}

/** Accuracy of asking about the share `askedFraction` of least `score` (ties in the order given), the rest answered at the last exit. */
export function accuracyAskingLowest(decisions: readonly CascadeDecision[], score: readonly number[], askedFraction: number): number {
  const order = decisions.map((_, i) => i).sort((a, b) => score[a]! - score[b]! || a - b);
  const asked = Math.round(askedFraction * decisions.length);
  const right = order.filter((i, rank) => {
    const decision = decisions[i]!;
    return (rank < asked ? wordAfterAsk(decision) : decision.exits.at(-1)!.label) === decision.truth;
  });
  return right.length / Math.max(1, decisions.length);
}
