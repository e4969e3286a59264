import { EXIT_NEVER } from "../../../assembly/layout.ts";
import type { ExitRun } from "./exit-simulation.ts";

/** What is right of a run's labelled decisions. */
type Scored = Pick<ExitRun, "decisions" | "right">;

/** Runs of wearers in groups, one run a wearer, under the same thresholds. */
export type GroupedRuns<Run = Scored> = readonly (readonly Run[])[];

/** Thresholds that are tried, from lax to strict, Q15: 0.5 … 0.9 by 0.02, … 0.99 by 0.01, … 0.998 by 0.002, never. */
const levelsQ15 = [
  ...[...Array.from({ length: 20 }, (_, i) => 0.5 + i / 50), ...Array.from({ length: 9 }, (_, i) => 0.9 + i / 100)],
  ...[0.99, 0.992, 0.994, 0.996, 0.998],
].map((probability) => Math.round(probability * 32768));

/** Runs of the whole that a shortlist may ask for, and how much more compute each has than the one before. */
const SHORTLIST = 64;
const STEP = 1.01;

/**
 * Thresholds to choose from: which exit may answer first, from what gate probability on, and the one that the exits after it share, which
 * is at most as strict. Three numbers whatever the number of exits: one threshold an exit fits the tuning wearers better, and others
 * worse. The last exit always answers.
 */
export function exitCandidates(nExits: number): number[][] {
  const early = nExits - 1;
  const candidates: number[][] = [];
  for (let first = 0; first < early; first++)
    for (const own of levelsQ15)
      for (const after of first + 1 < early ? levelsQ15.filter((level) => level <= own) : [own])
        candidates.push(Array.from({ length: nExits }, (_, k) => (k === early ? 0 : k < first ? EXIT_NEVER : k === first ? own : after)));
  return candidates;
}

/** No exit before the last may answer. */
export function fullDepthThresholds(nExits: number): number[] {
  return Array.from({ length: nExits }, (_, k) => (k + 1 < nExits ? EXIT_NEVER : 0));
}

/**
 * Whether exits cost at most `tolerance` of accuracy against full depth: in every group, and over all wearers with any one of them left
 * out, so that no single wearer pays for the others.
 */
export function isWithinTolerance(runs: GroupedRuns, full: GroupedRuns, tolerance: number): boolean {
  const holds = (some: readonly Scored[], fullSome: readonly Scored[]): boolean => accuracy(fullSome) - accuracy(some) <= tolerance + 1e-12;
  const all = runs.flat();
  const fullAll = full.flat();
  return (
    runs.every((group, g) => holds(group, full[g]!)) &&
    (all.length === 1 || all.every((_, i) => holds(all.toSpliced(i, 1), fullAll.toSpliced(i, 1))))
  );
}

/** Within the tolerance by simulation, the least compute first, each a step dearer than the one before. */
export function shortlist(
  candidates: readonly (readonly number[])[],
  simulate: (thresholdsQ15: readonly number[]) => GroupedRuns<ExitRun>,
  full: GroupedRuns,
  tolerance: number,
): (readonly number[])[] {
  const ranked = candidates
    .map((thresholds) => ({ thresholds, runs: simulate(thresholds) }))
    .filter(({ runs }) => isWithinTolerance(runs, full, tolerance))
    .map(({ thresholds, runs }) => ({ thresholds, macs: meanMacs(runs.flat()) }))
    .sort((a, b) => a.macs - b.macs);
  const chosen: (readonly number[])[] = [];
  let next = 0;
  for (const { thresholds, macs } of ranked) {
    if (chosen.length === SHORTLIST || macs < next) continue;
    chosen.push(thresholds);
    next = macs * STEP;
  }
  return chosen;
}

function accuracy(runs: readonly Scored[]): number {
  return (
    sum(runs, ({ right }) => right) /
    Math.max(
      1,
      sum(runs, ({ decisions }) => decisions),
    )
  );
}

function meanMacs(runs: readonly ExitRun[]): number {
  return (
    sum(runs, ({ macs }) => macs) /
    Math.max(
      1,
      sum(runs, ({ hops }) => hops),
    )
  );
}

function sum<Run>(runs: readonly Run[], of: (run: Run) => number): number {
  return runs.reduce((total, run) => total + of(run), 0);
}
