import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/system/clock.ts";
import { makePrivateFolder, writeWhole } from "../core/system/private-file.ts";
import { cutBout, encodeDay, roundedMillis } from "./day-file.ts";
import { DAY_FILE, dayFileName, readDayFile } from "./day-folder.ts";
import type { Bout, DiaryAlarm, DiaryDay } from "./diary-types.ts";
import { type LocalDay, localDay } from "./local-day.ts";

/** A label that does not last so long is noise between two bouts, and counts to the one before or after. */
export const LEAST_BOUT_MILLIS = 5000;
/** A longer silence ends a bout. */
export const MOST_SILENCE_MILLIS = 30_000;
/** A change is on disk after so long at the latest; an alarm is at once. */
const SAVE_CHANGE_MILLIS = 10_000;
/** And the length of a bout that goes on. */
const SAVE_LENGTH_MILLIS = 60_000;
const KEPT_DAYS = 30; // before today
const DAY_MILLIS = 86_400_000;

/** Notes what the wearer does: bouts of one label, and alarms. Times are wall milliseconds, ascending. */
export interface Diary {
  /** A decision: `label` is what is shown. */
  observe(at: { readonly atMillis: number; readonly label: string; readonly probability: number }): void;
  alarm(at: { readonly atMillis: number; readonly label: string; readonly probability: number }): void;
  /** Frames were lost: nobody knows what the wearer did meanwhile. */
  interrupt(): void;
  /** Writes what is not on disk yet. */
  save(): void;
  close(): void;
}

export interface DiaryOptions {
  /** Made for its owner alone (0700); files in it are 0600. */
  readonly folder: string;
  readonly agent: string;
  /** The label that the agent declares as alarm. */
  readonly alarm?: string | undefined;
  readonly clock: Clock;
  /** From when on this diary knows: what the folder says of later is replaced. Default: the clock's wall time. */
  readonly fromMillis?: number;
  /** The disk refuses, the first time since it last took something; the diary goes on in memory. */
  readonly onTrouble?: (reason: string) => void;
}

/** The bout that goes on, and the label that may replace it. */
interface Current {
  readonly label: string;
  readonly fromMillis: number;
  toMillis: number;
  sum: number; // of probabilities
  count: number;
  next: { readonly label: string; readonly fromMillis: number; readonly sinceMillis: number } | undefined;
}

/**
 * Opens an agent's diary. One file per day, a ring of at most 8 KiB for an agent with an alarm and one without; a damaged file is set
 * aside as `.bad`. A kill loses a change of the last 10 s at most. Throws ConfigError for a folder that cannot be made.
 */
export function openDiary(options: DiaryOptions): Diary {
  const { folder, agent, alarm, clock } = options;
  const fromMillis = options.fromMillis ?? clock.wall();
  let day!: DiaryDay;
  let bounds!: LocalDay;
  let current: Current | undefined;
  let savedAt: number | undefined; // clock.now() of the last save
  let lastMillis = fromMillis; // of what was noted
  let isChanged = false;
  let isInTrouble = false;
  let hasFile = false; // a file that is gone was forgotten: what was noted before is, too

  makePrivateFolder(folder, { mark: ".diary" });
  begin(fromMillis);

  /** What the folder says of later than `atMillis`, up to two days, was noted by a clock that was ahead, or is replayed anew. */
  function begin(atMillis: number): void {
    const later = [1, 2].map((days) => localDay(atMillis + days * DAY_MILLIS).name);
    for (const file of files()) if (later.includes(file.day)) rmSync(join(folder, file.name), { force: true });
    openDay(atMillis);
    const bouts = day.bouts.flatMap((bout) => cutBout(bout, atMillis) ?? []);
    day = { ...day, bouts, alarms: day.alarms.filter((alarm) => alarm.atMillis < atMillis) };
    lastMillis = atMillis;
    isChanged = true;
  }

  function openDay(atMillis: number): void {
    bounds = localDay(atMillis);
    const path = join(folder, dayFileName(agent, bounds.name));
    const read = readDayFile(path);
    if (read !== undefined && !read.ok) setAside(path, read.reason);
    day = read?.ok && read.day.agent === agent ? { ...read.day, alarm } : emptyDay();
    hasFile = existsSync(path);
    savedAt = undefined; // the first thing noted makes the file, so that it can be forgotten
    for (const { name } of files().slice(0, -KEPT_DAYS)) rmSync(join(folder, name), { force: true });
  }

  function emptyDay(): DiaryDay {
    return { agent, alarm, startMillis: bounds.startMillis, bouts: [], alarms: [], folded: [], foldedAlarms: 0 };
  }

  function setAside(path: string, reason: string): void {
    try {
      renameSync(path, `${path}.bad`);
      options.onTrouble?.(`${path}: ${reason}. It was set aside as ${path}.bad`);
    } catch (error) {
      options.onTrouble?.(`${path}: ${reason}, and it cannot be set aside: ${(error as Error).message}`);
    }
  }

  /** The days' files of this agent, newest last. */
  function files(): { readonly name: string; readonly day: string }[] {
    return readdirSync(folder)
      .flatMap((name) => {
        const match = DAY_FILE.exec(name);
        return match?.[1] === agent ? [{ name, day: match[2]! }] : [];
      })
      .sort((a, b) => a.day.localeCompare(b.day));
  }

  function boutOf({ label, fromMillis: from, toMillis, sum, count }: Current): Bout {
    return { label, fromMillis: roundedMillis(from), toMillis: roundedMillis(toMillis), probability: sum / count };
  }

  function endCurrent(): void {
    if (current !== undefined) day = { ...day, bouts: [...day.bouts, boutOf(current)] };
    current = undefined;
    isChanged = true;
  }

  /** Makes the day of `atMillis` the open one. A bout that goes on is cut in two at midnight; a clock that was set back begins anew. */
  function turnTo(atMillis: number): void {
    if (atMillis < lastMillis) {
      endCurrent();
      save();
      begin(atMillis);
    }
    lastMillis = atMillis;
    const isSilent = current !== undefined && atMillis - current.toMillis > MOST_SILENCE_MILLIS;
    if (isSilent) endCurrent();
    if (atMillis < bounds.endMillis) return;
    const goesOn = current && { ...current };
    if (current !== undefined) current.toMillis = bounds.endMillis;
    endCurrent();
    save();
    openDay(atMillis);
    if (goesOn !== undefined) current = startingAt(goesOn, bounds.startMillis);
  }

  function save(): void {
    if (!isChanged && current === undefined) return;
    const path = join(folder, dayFileName(agent, bounds.name));
    try {
      if (hasFile && statSync(path, { throwIfNoEntry: false }) === undefined) forget();
      const bouts = current === undefined ? day.bouts : [...day.bouts, boutOf(current)];
      const written = encodeDay({ ...day, bouts });
      const { bouts: left } = written.day;
      if (left.length < bouts.length) day = { ...written.day, bouts: current === undefined ? left : left.slice(0, -1) };
      writeWhole(path, written.text, { isPrivate: true });
      hasFile = true;
      isChanged = false;
      isInTrouble = false;
    } catch (error) {
      if (!isInTrouble) options.onTrouble?.((error as Error).message);
      isInTrouble = true;
    }
    savedAt = clock.now();
  }

  /** The file was removed by "forget today": the bout that goes on begins anew. */
  function forget(): void {
    day = emptyDay();
    if (current !== undefined) current = startingAt(current, current.toMillis);
  }

  function saveInTime(): void {
    if (savedAt === undefined || clock.now() - savedAt >= (isChanged ? SAVE_CHANGE_MILLIS : SAVE_LENGTH_MILLIS)) save();
  }

  return {
    observe({ atMillis, label, probability }) {
      turnTo(atMillis);
      current ??= { label, fromMillis: atMillis, toMillis: atMillis, sum: 0, count: 0, next: undefined };
      const { next } = current;
      if (label !== current.label) {
        const since = next?.label === label ? next.sinceMillis : atMillis;
        current.next = { label, fromMillis: next?.fromMillis ?? atMillis, sinceMillis: since };
        if (atMillis - since >= LEAST_BOUT_MILLIS) {
          const from = current.next.fromMillis;
          current.toMillis = from;
          endCurrent();
          current = { label, fromMillis: from, toMillis: from, sum: 0, count: 0, next: undefined };
        }
      } else current.next = undefined;
      current.toMillis = atMillis;
      if (label === current.label) {
        current.sum += probability;
        current.count++;
      }
      saveInTime();
    },
    alarm({ atMillis, label, probability }) {
      turnTo(atMillis);
      const one: DiaryAlarm = { label, atMillis: roundedMillis(atMillis), probability };
      day = { ...day, alarms: [...day.alarms, one] };
      isChanged = true;
      save();
    },
    interrupt() {
      endCurrent();
    },
    save,
    close() {
      endCurrent();
      save();
    },
  };
}

/** The same bout from a later time on. */
function startingAt(bout: Current, fromMillis: number): Current {
  const { next } = bout;
  return {
    ...bout,
    fromMillis,
    toMillis: Math.max(fromMillis, bout.toMillis),
    next: next && { ...next, fromMillis: Math.max(fromMillis, next.fromMillis) },
  };
}
