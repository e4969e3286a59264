import type { Model } from "../core/session/model.ts";
import { isScored, type SensedRecording } from "../data/recording.ts";
import { type FaultName, withFault } from "../data/sensor-faults.ts";
import { clopperPearsonUpper } from "../policy/certify/clopper-pearson.ts";
import { findBetweenClass } from "./eval-setting.ts";
import { joinRecordings, type WatchedStream, watchStream } from "./watch-sensor.ts";

/** Seeds of a fault that draws its axis or its order. */
const SEEDS = 10;
const DRAWN: readonly FaultName[] = ["stuck-axis", "rotate90", "permuted-axes", "rotate20", "lost-frames"];
/** Shortest stretch of an activity that a time to the flag is taken of. */
const STRETCH_SECONDS = 10;
const SECONDS_PER_WEEK = 7 * 86_400;
const BOUND_DELTA = 0.05;

export interface StretchFigures {
  readonly activity: string;
  readonly stretches: number; // of at least STRETCH_SECONDS
  readonly flaggedIn10: number; // within 10 s of their start, from a reset monitor
  readonly medianSeconds: number | null; // to the flag, of those flagged at all
}

export interface FaultFigures {
  readonly fault: FaultName;
  readonly streams: number; // wearers times seeds
  readonly flagged: number;
  readonly flaggedIn10Minutes: number;
  readonly seedsIn10Minutes: number; // of SEEDS: seeds of which nine wearers in ten are flagged within 10 minutes
  readonly seconds: { readonly p50: number | null; readonly p90: number | null }; // to the flag, streams never flagged counted as endless
  readonly faults: readonly string[]; // that were raised
  readonly decisions: number;
  readonly withheld: number;
  readonly answered: number; // at a certified exit while not withheld
  readonly answeredWrongShare: number;
  readonly wrongShare: number; // wrong answers, of the answered and the withheld
  readonly activities: readonly StretchFigures[];
}

export interface CleanFigures {
  readonly streams: number;
  readonly hours: number;
  readonly flags: number;
  readonly flagsPerWeekBound: number; // upper bound at 95 %, Clopper-Pearson over hops
  readonly answered: number;
  readonly answeredWrongShare: number;
}

/** The sensor as it is: how often the monitor flags what is sound. */
export function evaluateSound(model: Model, wearers: readonly (readonly SensedRecording[])[]): CleanFigures {
  const session = model.createSession();
  const runs = wearers.map((recordings) => watchStream(session, joinRecordings(recordings), findBetweenClass(model)));
  const rate = model.manifest.frameRateHz;
  const seconds = total(runs, ({ frames }) => frames) / rate;
  const decisions = total(runs, (run) => run.decisions);
  const flags = total(runs, ({ raised }) => raised);
  const bound = clopperPearsonUpper(flags, decisions, BOUND_DELTA);
  return {
    streams: runs.length,
    hours: seconds / 3600,
    flags,
    flagsPerWeekBound: (bound * decisions * SECONDS_PER_WEEK) / seconds,
    ...answers(runs),
  };
}

/** A faulty sensor: when it is flagged, by activity too, and what is answered before. */
export function evaluateSensorFault(model: Model, wearers: readonly (readonly SensedRecording[])[], fault: FaultName): FaultFigures {
  const session = model.createSession();
  const betweenClass = findBetweenClass(model);
  const rate = model.manifest.frameRateHz;
  const seeds = DRAWN.includes(fault) ? SEEDS : 1;
  const runs: { readonly seed: number; readonly run: WatchedStream }[] = [];
  const stretches: { readonly label: number; readonly seconds: number | undefined }[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    for (const stream of withFault(wearers.map(joinRecordings), fault, seed)) {
      runs.push({ seed, run: watchStream(session, stream, betweenClass) });
      for (const { label, start, end } of stream.segments) {
        if (!isScored(stream, label) || end - start < STRETCH_SECONDS * rate) continue;
        const { framesToFlag } = watchStream(session, stream, betweenClass, start, end);
        stretches.push({ label, seconds: framesToFlag === undefined ? undefined : framesToFlag / rate });
      }
    }
  }
  const seconds = runs.map(({ run }) => (run.framesToFlag ?? Number.POSITIVE_INFINITY) / rate).sort((a, b) => a - b);
  const isSoon = ({ run }: (typeof runs)[number]): boolean => run.framesToFlag !== undefined && run.framesToFlag <= 600 * rate;
  const all = runs.map(({ run }) => run);
  const bySeed = Array.from({ length: seeds }, (_, i) => runs.filter(({ seed }) => seed === i + 1));
  return {
    fault,
    streams: runs.length,
    flagged: all.filter(({ framesToFlag }) => framesToFlag !== undefined).length,
    flaggedIn10Minutes: runs.filter(isSoon).length,
    seedsIn10Minutes: (bySeed.filter((own) => own.filter(isSoon).length >= 0.9 * own.length).length * SEEDS) / seeds,
    seconds: { p50: finite(seconds[Math.floor(seconds.length / 2)]!), p90: finite(seconds[Math.ceil(0.9 * seconds.length) - 1]!) },
    faults: [...new Set(all.flatMap(({ faults }) => faults))],
    decisions: total(all, (run) => run.decisions),
    withheld: total(all, ({ withheld }) => withheld),
    ...answers(all),
    wrongShare:
      wrong(all) /
      Math.max(
        1,
        total(all, (run) => run.answered + run.withheldLabelled),
      ),
    activities: model.manifest.labels.flatMap((activity, c) => {
      const own = stretches.filter(({ label }) => label - 1 === c);
      const found = own.flatMap((one) => one.seconds ?? []).sort((a, b) => a - b);
      const flaggedIn10 = found.filter((one) => one <= 10).length;
      const medianSeconds = found.length === 0 ? null : found[Math.floor(found.length / 2)]!;
      return own.length === 0 ? [] : [{ activity, stretches: own.length, flaggedIn10, medianSeconds }];
    }),
  };
}

function answers(runs: readonly WatchedStream[]): { readonly answered: number; readonly answeredWrongShare: number } {
  const answered = total(runs, (run) => run.answered);
  return { answered, answeredWrongShare: wrong(runs) / Math.max(1, answered) };
}

function wrong(runs: readonly WatchedStream[]): number {
  return total(runs, ({ answeredWrong }) => answeredWrong);
}

function total<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
