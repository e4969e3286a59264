import { writeImage } from "../core/image/image-write.ts";
import { Model } from "../core/session/model.ts";
import type { SetPoint } from "../core/session/session-types.ts";
import type { SensedRecording } from "../data/recording.ts";
import { exitCandidates, fullDepthThresholds, type GroupedRuns, isWithinTolerance, shortlist } from "../policy/certify/exit-choice.ts";
import { type ExitRun, exitSimulator } from "../policy/certify/exit-simulation.ts";
import { evaluatePolicy, type PolicyEvaluation } from "./evaluate-policy.ts";
import { hopLogits } from "./stream-decisions.ts";

/** Early exits against full depth on the same decisions, nothing asked. */
export interface ExitSavings {
  readonly thresholdsQ15: readonly number[]; // one an exit; EXIT_NEVER = it may not answer; the last always does
  readonly early: PolicyEvaluation;
  readonly full: PolicyEvaluation;
  readonly accuracy: number;
  readonly fullAccuracy: number;
  readonly computeShare: number; // MACs of early / full
}

/** Thresholds chosen on some wearers. */
export interface ExitChoice {
  readonly thresholdsQ15: readonly number[];
  readonly coreRuns: number; // shortlisted choices that the core ran until one was confirmed
}

/** Streams `recordings` twice: with exits that answer from their thresholds on, and at full depth. Every decision is answered. */
export function exitSavings(
  model: Model,
  recordings: readonly SensedRecording[],
  thresholdsQ15: readonly number[],
  betweenClass: number,
): ExitSavings {
  const run = exitRunner(model, betweenClass);
  const early = run(recordings, thresholdsQ15);
  const full = run(recordings, fullDepthThresholds(thresholdsQ15.length));
  return {
    thresholdsQ15,
    early,
    full,
    accuracy: early.right / Math.max(1, early.decisions),
    fullAccuracy: full.right / Math.max(1, full.decisions),
    computeShare: early.meanMacs / Math.max(1, full.meanMacs),
  };
}

/**
 * The thresholds with the least compute that cost at most `tolerance` of accuracy against full depth on the wearers of `groups` (how
 * that is held: isWithinTolerance). Each recording is scored once at full depth and the choices are simulated on that; the cheapest of
 * them are then run through the core, with what rebuilds do to the labels, until one holds. Full depth if none does.
 */
export function chooseExits(
  model: Model,
  groups: readonly (readonly SensedRecording[])[],
  tolerance: number,
  betweenClass: number,
  onCandidate?: (done: number, total: number) => void,
): ExitChoice {
  const nExits = model.image.exits.length;
  const wearers = groups.map(recordingsByWearer);
  const scored = wearers.map((group) => group.map((recordings) => recordings.map((one) => hopLogits(model, one, betweenClass))));
  const simulateOne = exitSimulator(model.image);
  const simulate = (thresholds: readonly number[]): GroupedRuns<ExitRun> =>
    scored.map((group) => group.map((recordings) => simulateOne(recordings, thresholds)));
  const full = simulate(fullDepthThresholds(nExits)); // nothing is skipped there, so the core says the same
  const run = exitRunner(model, betweenClass);
  let coreRuns = 0;
  const candidates = exitCandidates(nExits);
  let simulated = 0;
  const counted: typeof simulate = (thresholds) => {
    onCandidate?.(simulated++, candidates.length);
    return simulate(thresholds);
  };
  const confirmed = shortlist(candidates, counted, full, tolerance).find((thresholds) => {
    coreRuns++;
    const runs = wearers.map((group) => group.map((recordings) => run(recordings, thresholds)));
    return isWithinTolerance(runs, full, tolerance);
  });
  return { thresholdsQ15: confirmed ?? fullDepthThresholds(nExits), coreRuns };
}

/**
 * Runs recordings with exits alone, on the same image with nothing certified: the set-point then says by itself who may answer. That
 * image is for measuring what exits would do, and is never written to disk.
 */
function exitRunner(model: Model, betweenClass: number) {
  const image = { ...model.image, exits: model.image.exits.map((exit) => ({ ...exit, threshold: 0 })) };
  const free = Model.load(writeImage(image), { engine: model.engine });
  return (recordings: readonly SensedRecording[], thresholds: readonly number[]): PolicyEvaluation => {
    const setPoint: SetPoint = {
      ...{ maxExit: image.exits.length - 1, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds,
    };
    return evaluatePolicy(() => free.createSession(), recordings, { setPoint, betweenClass });
  };
}

function recordingsByWearer(recordings: readonly SensedRecording[]): SensedRecording[][] {
  const subjects = [...new Set(recordings.map(({ subject }) => subject))];
  return subjects.map((wearer) => recordings.filter(({ subject }) => subject === wearer));
}
