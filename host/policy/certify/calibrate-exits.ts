import { apart, type DecisionGroup, inSequence } from "./decision-group.ts";
import { type ExitTemperatures, exitDecisions, type LabelledLogits } from "./exit-decisions.ts";
import { type CertifiedExit, type CertifyOptions, certifyThresholds } from "./learn-then-test.ts";
import { type DecisionRule, type HopLogits, labelledScores } from "./replay.ts";
import { fitTemperature } from "./temperature.ts";

/** What calibration found for one exit. */
export interface CalibratedExit extends CertifiedExit {
  readonly temperature: number;
  readonly smoothedTemperature?: number; // of smoothed decisions
}

/** Decisions to calibrate on: what a temperature is fitted to, and what a threshold is tested on at given temperatures. */
export interface CalibrationGroup {
  readonly labelled: LabelledLogits;
  decisions(temperatures: readonly ExitTemperatures[]): DecisionGroup;
}

/** Windows: each decision stands alone. */
export function windowGroup(labelled: LabelledLogits): CalibrationGroup {
  return { labelled, decisions: (temperatures) => apart(exitDecisions(labelled, temperatures)) };
}

/** A stream: whole recordings, hop by hop. */
export function streamGroup(recordings: readonly (readonly HopLogits[])[], rule: Omit<DecisionRule, "temperatures">): CalibrationGroup {
  return {
    labelled: labelledScores(recordings, rule),
    decisions: (temperatures) => inSequence(recordings, { ...rule, temperatures }),
  };
}

/**
 * Temperatures by least negative log likelihood, of the logits in all groups and of the smoothed scores, then certified
 * thresholds at those temperatures; groups (window, stream) must each certify. The temperatures are fitted on the same decisions, one
 * number an exit, or two: they stretch the grid of thresholds, and say which of a smoothed decision's two probabilities is the lesser.
 * For those numbers the certificate is not strictly of unseen data.
 */
export function calibrateExits(groups: readonly CalibrationGroup[], options: CertifyOptions): CalibratedExit[] {
  const alone = groups.map(({ labelled: { labels, logits } }) => ({ labels, logits }));
  const smoothed = groups.flatMap(({ labelled: { labels, scores } }) => (scores ? [{ labels, logits: scores }] : []));
  const temperatures = alone[0]!.logits.map((_, k): ExitTemperatures => {
    const own = fitTemperature(alone, k);
    return { alone: own, smoothed: smoothed.length > 0 ? fitTemperature(smoothed, k) : own };
  });
  const decisions = groups.map((group) => group.decisions(temperatures));
  return certifyThresholds(decisions, options).map((exit, k): CalibratedExit => {
    const own = temperatures[k]!;
    return { temperature: own.alone, ...(smoothed.length > 0 && { smoothedTemperature: own.smoothed }), ...exit };
  });
}
