import { type DayCache, readDays } from "./day-folder.ts";
import { type DiaryFigures, figuresOf } from "./figures.ts";

/** A diary that is read often: a file that has not changed is not parsed again. */
export interface DiaryReader {
  /** `wallMillis`: now. */
  read(wallMillis: number): DiaryFigures;
}

/** Opens a diary's folder for reading; a folder that is not there is an empty diary. */
export function createDiaryReader(folder: string): DiaryReader {
  const cache: DayCache = new Map();
  return { read: (wallMillis) => figuresOf(readDays(folder, cache), wallMillis) };
}
