import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../core/system/errors.ts";
import { type CsvFile, checkCsvSize, parseCsvFile } from "./csv-file.ts";
import { bridgeGaps } from "./csv-gaps.ts";
import type { CsvChannel, CsvColumns } from "./csv-header.ts";
import { medianStep, type ResampledPart, rateOfStep, resample } from "./csv-time.ts";

/** Recordings of a folder in their own units, all at one rate with the same channels. */
export interface CsvFolder {
  readonly channels: readonly CsvChannel[];
  readonly rateHz: number;
  readonly labels: readonly string[]; // sorted
  readonly parts: readonly CsvPart[];
  readonly files: number; // recordings
  readonly notes: readonly string[]; // what reading changed, for people
}

/** A gapless part of a file. */
export interface CsvPart extends ResampledPart {
  readonly path: string;
  readonly name: string; // the file's, with #2, #3 … from its second part on
  readonly subject: string;
}

/** Gaps longer than so many frames split a recording, as they reset a running agent. */
export const GAP_LIMIT_FRAMES = 8;
const highestRateHz = 1000;
const lowestRateHz = 1 / 300;
const lowestInferredHz = 1; // slower is likelier a time in another unit than a recording, unless the file says its unit
/** Units that a time column may be in without saying so, by their steps per second. */
const finerUnits = [
  ["milliseconds", "ms", 1e3],
  ["microseconds", "us", 1e6],
  ["nanoseconds", "ns", 1e9],
] as const;

/** True where `path` is a CSV file or a folder with one in it. */
export function holdsCsv(path: string): boolean {
  return statSync(path).isDirectory() ? csvPaths(path).length > 0 : /\.csv$/i.test(path);
}

/** How a folder of recordings is read. */
export interface CsvReading extends CsvColumns {
  readonly rateHz?: number | undefined; // default: the rate of the time columns
}

/** Reads a CSV file, or every *.csv of a folder (not of folders in it). Throws DataError. */
export function readCsvFolder(path: string, { rateHz, ...columns }: CsvReading = {}): CsvFolder {
  if (!existsSync(path)) throw new DataError("CSV_NONE", `${path} is not there: name a folder with one .csv file a recording.`);
  const paths = statSync(path).isDirectory() ? csvPaths(path) : [path];
  const files = paths.flatMap((file) => readCsv(file, columns));
  const first = files[0];
  if (first === undefined) throw new DataError("CSV_NONE", `${path} holds no .csv file: give a folder with one file a recording.`);
  const step = medianStep(files);
  const rate = rateHz ?? inferredRate(step, first.hasTimeUnit, path);
  if (rate > highestRateHz || rate < 0.99 * lowestRateHz) throw outsideRates(rate, rateHz, path);
  const gapSeconds = GAP_LIMIT_FRAMES / rate;
  const whole = files.map((file) => bridgeGaps(inOrderOf(first, file), gapSeconds));
  const parts = whole.flatMap((file) =>
    file === undefined
      ? []
      : resample(file, rate, gapSeconds).map((part, i) => ({
          ...part,
          path: file.path,
          name: i === 0 ? file.name : `${file.name}#${i + 1}`,
          subject: file.subject,
        })),
  );
  if (parts.length === 0)
    throw new DataError(
      "CSV_RATE",
      `${path}: at ${rateText(rate)} every sample stands alone, for the usual step of time is ${secondsText(step)} and gaps of more than ${GAP_LIMIT_FRAMES} frames split. ${unitQuestion(step)}`,
    );
  const labels = new Set(files.flatMap((file) => file.labels.filter((label) => label !== undefined)));
  return {
    channels: first.channels,
    rateHz: rate,
    labels: [...labels].sort(),
    parts,
    files: files.length,
    notes: notesOf(files, whole),
  };
}

/** "50 Hz"; below one hertz "a sample every 60 s". */
export function rateText(rateHz: number): string {
  return rateHz >= 1 ? `${Number(rateHz.toPrecision(6))} Hz` : `a sample every ${Number((1 / rateHz).toPrecision(4))} s`;
}

/** What reading changed: units, lines of one time, missing values. */
function notesOf(files: readonly CsvFile[], whole: readonly (CsvFile | undefined)[]): string[] {
  const first = files[0]!;
  const read = first.channels.flatMap(({ name, unit }, c) => {
    const written = first.headers[c]!.replace(/\s+(?=[[(])/, "").replace(/\((.*)\)$/, "[$1]");
    return unit === "" || written === `${name}[${unit}]` ? [] : [`${first.headers[c]} as ${name}[${unit}]`];
  });
  const doubles = files.reduce((sum, file) => sum + file.doubles, 0);
  const lines = files.reduce((sum, { time }) => sum + time.length, 0);
  const left = whole.reduce((sum, file) => sum + (file?.time.length ?? 0), 0);
  const filled = files.reduce((sum, { values }) => sum + values.reduce((count, value) => count + Number(Number.isNaN(value)), 0), 0);
  return [
    ...(read.length > 0 ? [`Reads ${read.join(", ")}.`] : []),
    ...(doubles > 0 ? [`Left out ${doubles} lines with the time of the line before.`] : []),
    ...(filled > 0
      ? [`${filled} cells are empty: short gaps are filled by straight lines, ${lines - left} of ${lines} lines are left out.`]
      : []),
  ];
}

/** The rate of a usual step of time, seconds; throws CSV_RATE where it is too slow to be meant. */
function inferredRate(step: number, hasTimeUnit: boolean, path: string): number {
  const rate = rateOfStep(step);
  if (rate >= lowestInferredHz || hasTimeUnit) return rate;
  throw new DataError(
    "CSV_RATE",
    `${path}: the time columns say that a sample comes every ${secondsText(step)}. ${unitQuestion(step)} If it is in seconds, write time[s].`,
  );
}

function outsideRates(rate: number, chosen: number | undefined, path: string): DataError {
  const found = `${path}: ${rate >= 1 ? `${rate} samples a second` : rateText(rate)}${chosen === undefined ? " by the time columns" : ""}`;
  return new DataError(
    "CSV_RATE",
    rate > highestRateHz
      ? `${found}, at most ${highestRateHz} are taken. Write what matters of it as columns at a lower rate: the signal's power in some bands, every 10 ms (time,low[dB],mid[dB],high[dB],label). --rate ${highestRateHz} keeps only what lies below ${highestRateHz / 2} Hz.`
      : `${found}, at least one every ${1 / lowestRateHz} s is needed. Choose --rate 1/${1 / lowestRateHz}, or check the unit of time in the header.`,
  );
}

const secondsText = (seconds: number): string => `${Number(seconds.toPrecision(4))} s`;

/** Which unit would make a recording of a step that is too long as seconds. */
function unitQuestion(step: number): string {
  const [name, unit] = finerUnits.find(([, , steps]) => step / steps <= 1 / lowestInferredHz) ?? finerUnits[0];
  return `Is time in ${name}? Write time[${unit}] into the header.`;
}

function csvPaths(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => /\.csv$/i.test(name))
    .sort()
    .map((name) => join(dir, name));
}

function readCsv(path: string, columns: CsvColumns): CsvFile[] {
  checkCsvSize(statSync(path).size, path);
  return parseCsvFile(new Uint8Array(readFileSync(path)), path, columns);
}

/** The file with its channels in the order of the first one's. */
function inOrderOf(first: CsvFile, file: CsvFile): CsvFile {
  const named = ({ channels }: CsvFile): string => channels.map(({ name, unit }) => (unit === "" ? name : `${name}[${unit}]`)).join(",");
  if (named(first) === named(file)) return file;
  const columns = first.channels.map(({ name, unit }) => file.channels.findIndex((other) => other.name === name && other.unit === unit));
  if (columns.includes(-1) || file.channels.length !== columns.length)
    throw new DataError(
      "CSV_HEADER",
      `${file.path}:1: channels ${named(file)}, but ${first.path} has ${named(first)}. Give every file the same channels and units.`,
    );
  const n = columns.length;
  const values = Float64Array.from({ length: file.values.length }, (_, i) => file.values[Math.floor(i / n) * n + columns[i % n]!]!);
  return { ...file, channels: first.channels, headers: columns.map((column) => file.headers[column]!), values };
}
