import { createHash } from "node:crypto";
import { binomialTail, clopperPearsonUpper } from "../policy/certify/clopper-pearson.ts";
import type { TrialOutcome } from "./confirm-alarms.ts";
import { type AlarmTrial, scoreAlarms } from "./evaluate-alarms.ts";

/** How good alarms are, what they cost in asks, and how soon they come. */
export interface AlarmFigures {
  readonly sensitivity: number | null;
  readonly sensitivityInterval: readonly [low: number, high: number] | null; // 95 %, Clopper and Pearson, trials as independent
  readonly specificity: number | null;
  readonly falseAlarms: number;
  readonly falseAlarmsPerHour: number | null; // of trials without the event
  readonly askedShare: number; // of all decisions
  readonly asksPerHour: number;
  readonly latencySeconds: { readonly p50: number; readonly p95: number } | null; // first alarm after the impact
  readonly alarmsHash: string; // SHA-256 of each trial's alarm ticks
  readonly missed: readonly string[];
  readonly falselyAlarmed: readonly string[];
}

export function alarmFigures(outcomes: readonly TrialOutcome[], rateHz: number): AlarmFigures {
  const trials = outcomes.map(alarmTrial);
  const score = scoreAlarms(trials, rateHz);
  const events = trials.filter(({ isEvent }) => isEvent);
  const missed = events.filter(({ alarms }) => alarms.length === 0);
  const others = trials.filter(({ isEvent }) => !isEvent);
  const sum = (count: (outcome: TrialOutcome) => number): number => outcomes.reduce((total, one) => total + count(one), 0);
  const asks = sum((one) => one.asks);
  const hash = createHash("sha256");
  for (const { trial, alarms } of outcomes) hash.update(`${trial.name} ${alarms.map(({ tick }) => tick).join(" ")}\n`);
  return {
    ...score,
    sensitivityInterval: events.length === 0 ? null : interval(missed.length, events.length),
    falseAlarms: others.reduce((total, { alarms }) => total + alarms.length, 0),
    askedShare:
      asks /
      Math.max(
        1,
        sum(({ trial }) => trial.decisions.length),
      ),
    asksPerHour: asks / Math.max(1 / rateHz, sum(({ trial }) => trial.frames) / rateHz / 3600),
    latencySeconds: latency(outcomes, rateHz),
    alarmsHash: hash.digest("hex"),
    missed: missed.map(({ name }) => name),
    falselyAlarmed: others.filter(({ alarms }) => alarms.length > 0).map(({ name }) => name),
  };
}

function alarmTrial({ trial: { name, subject, frames, impact }, alarms }: TrialOutcome): AlarmTrial {
  return { name, subject, frames, isEvent: impact !== undefined, alarms: alarms.map(({ frame }) => frame - 1) };
}

function interval(missed: number, events: number): [number, number] {
  return [1 - clopperPearsonUpper(missed, events, 0.025), clopperPearsonUpper(events - missed, events, 0.025)];
}

function latency(outcomes: readonly TrialOutcome[], rateHz: number): AlarmFigures["latencySeconds"] {
  const seconds = outcomes
    .flatMap(({ trial, alarms }) =>
      trial.impact === undefined || alarms[0] === undefined ? [] : [(alarms[0].frame - trial.impact) / rateHz],
    )
    .sort((a, b) => a - b);
  if (seconds.length === 0) return null;
  const at = (share: number): number => seconds[Math.min(seconds.length - 1, Math.floor(share * seconds.length))]!;
  return { p50: at(0.5), p95: at(0.95) };
}

/** Of pairs of trials, those that only one of two got right; and the chance of a difference as large (exact test of McNemar, Psychometrika 1947). */
interface McNemar {
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly p: number;
}

/** McNemar's test of two runs over the same trials: right is an alarm in a trial with the event, none in another. */
export function compareAlarms(first: readonly TrialOutcome[], second: readonly TrialOutcome[], isEvent: boolean): McNemar {
  const right = ({ alarms }: TrialOutcome): boolean => alarms.length > 0 === isEvent;
  const pairs = first.map((one, i) => [one, second[i]!] as const).filter(([one]) => (one.trial.impact !== undefined) === isEvent);
  const onlyFirst = pairs.filter(([one, other]) => right(one) && !right(other)).length;
  const onlySecond = pairs.filter(([one, other]) => !right(one) && right(other)).length;
  const p = Math.min(1, 2 * binomialTail(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond, 0.5));
  return { onlyFirst, onlySecond, p };
}
