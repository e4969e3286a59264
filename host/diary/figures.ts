import { type DaysOfFolder, readDays, type UnreadableDay } from "./day-folder.ts";
import type { Bout, DiaryAlarm, DiaryDay } from "./diary-types.ts";
import { type LocalDay, localDay } from "./local-day.ts";

/** Bouts of one label that are no further apart are one: a restart does not end a walk. */
const JOINED_MILLIS = 30_000;
/** Sitting longer without a break is too long: "interrupted every 30 min" (American Diabetes Association, doi:10.2337/dc16-1728). */
export const SITTING_LIMIT_SECONDS = 1800;
/** Days that begin later than this from now were noted by a clock that was wrong. */
const AHEAD_MILLIS = 86_400_000;

/** One label's share of a day. */
export interface LabelTotal {
  readonly label: string;
  readonly seconds: number;
  readonly bouts: number;
}

/** A bout with its length. */
export interface TimedBout extends Bout {
  readonly seconds: number;
}

export interface TimedAlarm extends DiaryAlarm {
  readonly agent: string;
}

/** What the diary knows, computed once: every duration and count that anyone is told comes from here. */
export interface DiaryFigures {
  /** Wall time of the last thing noted; undefined: nothing was. */
  readonly asOfMillis: number | undefined;
  /** The local day of `asOfMillis`. */
  readonly day: LocalDay | undefined;
  /** The bout that ends at `asOfMillis`, from its beginning, the day before included. */
  readonly current: TimedBout | undefined;
  /** Of that day, longest first. */
  readonly totals: readonly LabelTotal[];
  /** Of that day, oldest first. */
  readonly bouts: readonly TimedBout[];
  /** Bouts of that day whose times are no longer known; `totals` has them. */
  readonly foldedBouts: number;
  /** Of all days that are kept, oldest first. */
  readonly alarms: readonly TimedAlarm[];
  readonly isSittingTooLong: boolean;
  readonly unreadable: readonly UnreadableDay[];
  /** The latest bout of a label, joined, on any kept day. */
  lastBout(label: string): TimedBout | undefined;
  /** What was done at a wall time; undefined: not known. */
  at(wallMillis: number): TimedBout | undefined;
}

/** Reads a diary's folder. `wallMillis`: now, for a clock that was once ahead. */
export function readDiary(folder: string, wallMillis: number): DiaryFigures {
  return figuresOf(readDays(folder), wallMillis);
}

/** Computes the figures of days. `wallMillis`: now. */
export function figuresOf({ days: all, unreadable }: DaysOfFolder, wallMillis: number): DiaryFigures {
  const days = all.filter(({ startMillis }) => startMillis <= wallMillis + AHEAD_MILLIS);
  const activity = days.filter(({ alarm }) => alarm === undefined);
  const alarms = days.flatMap(({ agent, alarms }) => alarms.map((alarm) => ({ ...alarm, agent }))).sort((a, b) => a.atMillis - b.atMillis);
  const bouts = joined(activity.flatMap((one) => one.bouts).sort((a, b) => a.fromMillis - b.fromMillis));
  const ends = [bouts.at(-1)?.toMillis, alarms.at(-1)?.atMillis].filter((end) => end !== undefined);
  const asOfMillis = ends.length === 0 ? undefined : Math.max(...ends);
  const day = asOfMillis === undefined ? undefined : localDay(asOfMillis);
  const ofDay = activity.filter(({ startMillis }) => startMillis === day?.startMillis);
  const last = bouts.at(-1);
  const current = last !== undefined && asOfMillis! - last.toMillis <= JOINED_MILLIS ? last : undefined;
  return {
    asOfMillis,
    day,
    current,
    totals: totalsOf(ofDay),
    bouts: joined(ofDay.flatMap((one) => one.bouts).sort((a, b) => a.fromMillis - b.fromMillis)),
    foldedBouts: ofDay.reduce((sum, { folded }) => sum + folded.reduce((more, { bouts }) => more + bouts, 0), 0),
    alarms,
    isSittingTooLong: current?.label === "sitting" && current.seconds >= SITTING_LIMIT_SECONDS,
    unreadable,
    lastBout: (label) => bouts.findLast((bout) => bout.label === label),
    at: (wall) => bouts.find(({ fromMillis, toMillis }) => fromMillis <= wall && wall <= toMillis),
  };
}

function totalsOf(days: readonly DiaryDay[]): LabelTotal[] {
  const sums = new Map<string, { millis: number; bouts: number }>();
  const add = (label: string, millis: number, bouts: number) => {
    const sum = sums.get(label) ?? { millis: 0, bouts: 0 };
    sums.set(label, { millis: sum.millis + millis, bouts: sum.bouts + bouts });
  };
  for (const { bouts, folded } of days) {
    for (const { label, fromMillis, toMillis } of joined(bouts)) add(label, toMillis - fromMillis, 1);
    for (const { label, millis, bouts: count } of folded) add(label, millis, count);
  }
  return [...sums]
    .map(([label, { millis, bouts }]) => ({ label, seconds: secondsOf(millis), bouts }))
    .sort((a, b) => b.seconds - a.seconds || (a.label < b.label ? -1 : 1));
}

/** Neighbours of one label as one bout, weighted by their lengths. The pause between them counts to it. */
function joined(bouts: readonly Bout[]): TimedBout[] {
  const result: TimedBout[] = [];
  for (const bout of bouts) {
    const before = result.at(-1);
    const length = bout.toMillis - bout.fromMillis;
    if (before?.label !== bout.label || bout.fromMillis - before.toMillis > JOINED_MILLIS) {
      result.push({ ...bout, seconds: secondsOf(length) });
      continue;
    }
    const lengthBefore = before.toMillis - before.fromMillis;
    const sum = lengthBefore + length;
    const probability = sum === 0 ? bout.probability : (before.probability * lengthBefore + bout.probability * length) / sum;
    const { label, fromMillis } = before;
    result[result.length - 1] = { label, fromMillis, toMillis: bout.toMillis, probability, seconds: secondsOf(bout.toMillis - fromMillis) };
  }
  return result;
}

/** Tenths of a second, as the files keep them. */
function secondsOf(millis: number): number {
  return Math.round(millis / 100) / 10;
}
