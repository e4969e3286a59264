import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { readSmall } from "../core/system/private-file.ts";
import { decodeDay, MAX_DAY_FILE_BYTES } from "./day-file.ts";
import type { DiaryDay } from "./diary-types.ts";
import { localDay } from "./local-day.ts";

/** Name of the diary's folder in a node's data folder. */
export const DIARY_FOLDER = "diary";
/** Name of a day's file: agent and local day. */
export const DAY_FILE = /^([a-z][a-z0-9-]{0,31})-(\d{4}-\d{2}-\d{2})\.diary$/;

export function dayFileName(agent: string, day: string): string {
  return `${agent}-${day}.diary`;
}

/** A file that is no day of a diary. */
export interface UnreadableDay {
  readonly file: string;
  readonly reason: string;
}

const MOST_CACHED = 256;

/** Files that were read, by path, as they were then. */
export type DayCache = Map<string, { readonly version: string; readonly read: ReturnType<typeof decodeDay> }>;

/** What a day's file holds; undefined if there is none. Never throws for what it holds. */
export function readDayFile(path: string, cache?: DayCache): ReturnType<typeof decodeDay> | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (!stats.isFile()) return { ok: false, reason: "not a file" };
    if (stats.size > MAX_DAY_FILE_BYTES) return { ok: false, reason: `longer than ${MAX_DAY_FILE_BYTES} B` };
    const version = `${stats.ino} ${stats.size} ${stats.mtimeMs}`; // each save makes a new file
    const before = cache?.get(path);
    if (before?.version === version) return before.read;
    const read = decodeDay(readSmall(path, "the diary", "Remove it."));
    if ((cache?.size ?? 0) > MOST_CACHED) cache!.clear();
    cache?.set(path, { version, read });
    return read;
  } catch (error) {
    return { ok: false, reason: (error as Error).message };
  }
}

/** Every day of every agent in a diary's folder, and the files that are none. */
export interface DaysOfFolder {
  readonly days: readonly DiaryDay[]; // oldest first
  readonly unreadable: readonly UnreadableDay[];
}

/** Reads a diary's folder; one that is not there is empty. */
export function readDays(folder: string, cache?: DayCache): DaysOfFolder {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return { days: [], unreadable: [] };
  const days: DiaryDay[] = [];
  const unreadable: UnreadableDay[] = [];
  for (const file of readdirSync(folder).sort()) {
    const match = DAY_FILE.exec(file);
    if (match === null) continue;
    const read = readDayFile(join(folder, file), cache);
    if (read?.ok && read.day.agent === match[1]) days.push(read.day);
    else if (read !== undefined) unreadable.push({ file, reason: read.ok ? "another agent's" : read.reason });
  }
  days.sort((a, b) => a.startMillis - b.startMillis);
  return { days, unreadable };
}

/** Removes what every agent noted on the local day of `wallMillis` and later. Returns the names of the files. A diary that is open notices. */
export function forgetDay(folder: string, wallMillis: number): readonly string[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  const today = localDay(wallMillis).name;
  const gone = readdirSync(folder).filter((file) => {
    const name = file.replace(/\.bad$/, "");
    return (DAY_FILE.exec(name)?.[2] ?? "") >= today;
  });
  for (const file of gone) rmSync(join(folder, file), { force: true });
  return gone;
}
