import { appendFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PRIVATE_MODE } from "../../core/system/private-file.ts";
import { makeFolder, writing } from "../common/files.ts";
import type { CaptureRow } from "./capture-session.ts";

/** A channel as a recording names it, and its counts per unit. */
export interface RecordedChannel {
  readonly name: string;
  readonly unit: string; // "" if there is none
  readonly countsPerUnit: number;
}

/** Rows that are written at once. */
const ROWS_PER_WRITE = 64;

/** A CSV file that grows as rows come: time,<channel[unit]…>,label, as `train` reads it. */
export interface RecordingFile {
  readonly path: string;
  readonly rows: number;
  add(row: CaptureRow): void;
  close(): void;
  /** Removes the file. */
  discard(): void;
}

/** Opens the wearer's next file in a folder: s03-1.csv, s03-2.csv … Its owner alone can read it. */
export function openRecordingFile(folder: string, wearer: number, channels: readonly RecordedChannel[]): RecordingFile {
  makeFolder(folder);
  const path = nextPath(folder, wearer);
  const head = channels.map(({ name, unit }) => (unit === "" ? name : `${name}[${unit}]`));
  writing(path, () => writeFileSync(path, `time,${head.join(",")},label\n`, { mode: PRIVATE_MODE, flag: "wx" }));
  let waiting = "";
  let count = 0;
  const flush = (): void => {
    const text = waiting;
    waiting = "";
    if (text !== "") writing(path, () => appendFileSync(path, text));
  };
  return {
    path,
    get rows() {
      return count;
    },
    add({ seconds, values, label = "" }) {
      waiting += `${seconds.toFixed(4)},${values.map(shortNumber).join(",")},${label}\n`;
      if (++count % ROWS_PER_WRITE === 0) flush();
    },
    close: flush,
    discard() {
      waiting = "";
      rmSync(path, { force: true });
    },
  };
}

function nextPath(folder: string, wearer: number): string {
  const name = `s${String(wearer).padStart(2, "0")}`;
  let number = 1;
  while (existsSync(join(folder, `${name}-${number}.csv`))) number++;
  return join(folder, `${name}-${number}.csv`);
}

/** Six digits: finer than int16 counts of any range. */
function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}
