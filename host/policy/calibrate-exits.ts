import { exitDecisions, type LabelledLogits } from "./exit-decisions.ts";
import { type CertifiedExit, type CertifyOptions, certifyThresholds } from "./learn-then-test.ts";
import { fitTemperature } from "./temperature.ts";

/** What calibration found for one exit. */
export interface CalibratedExit extends CertifiedExit {
  readonly temperature: number;
}

/**
 * Temperatures by least negative log likelihood, then certified thresholds at those temperatures; groups (window, stream) must each
 * certify. The temperatures are fitted on the same decisions, one number an exit: it stretches the grid of thresholds but leaves the
 * order of an exit's decisions alone. For that one number the certificate is not strictly of unseen data.
 */
export function calibrateExits(groups: readonly LabelledLogits[], options: CertifyOptions): CalibratedExit[] {
  const temperatures = groups[0]!.logits.map((_, k) => fitTemperature(groups, k));
  const decisions = groups.map((group) => exitDecisions(group, temperatures));
  return certifyThresholds(decisions, options).map((exit, k) => ({ temperature: temperatures[k]!, ...exit }));
}
