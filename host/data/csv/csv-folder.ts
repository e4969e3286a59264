import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../core/system/errors.ts";
import { type CsvChannel, type CsvFile, checkCsvSize, parseCsvFile } from "./csv-file.ts";
import { medianStep, type ResampledPart, rateOfStep, resample } from "./csv-time.ts";

/** Recordings of a folder in their own units, all at one rate with the same channels. */
export interface CsvFolder {
  readonly channels: readonly CsvChannel[];
  readonly rateHz: number;
  readonly labels: readonly string[]; // sorted
  readonly parts: readonly CsvPart[];
  readonly files: number;
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
const lowestInferredHz = 1; // slower is likelier a time in another unit than a recording
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

/** Reads a CSV file, or every *.csv of a folder (not of folders in it), at `rateHz`; default: the rate of the time columns. Throws DataError. */
export function readCsvFolder(path: string, rateHz?: number): CsvFolder {
  if (!existsSync(path)) throw new DataError("CSV_NONE", `${path} is not there: name a folder with one .csv file a recording.`);
  const paths = statSync(path).isDirectory() ? csvPaths(path) : [path];
  const files = paths.map(readCsv);
  const first = files[0];
  if (first === undefined) throw new DataError("CSV_NONE", `${path} holds no .csv file: give a folder with one file a recording.`);
  const step = medianStep(files);
  const rate = rateHz ?? inferredRate(step, path);
  if (!(rate > 0 && rate <= highestRateHz))
    throw new DataError(
      "CSV_RATE",
      `${path}: ${rate} samples a second${rateHz === undefined ? " by the time columns" : ""}, at most ${highestRateHz} are taken. Write time in seconds or its unit into the header, or choose a rate with --rate.`,
    );
  const parts = files.flatMap((file) => {
    const ordered = inOrderOf(first, file);
    return resample(ordered, rate, GAP_LIMIT_FRAMES / rate).map((part, i) => ({
      ...part,
      path: file.path,
      name: i === 0 ? file.name : `${file.name}#${i + 1}`,
      subject: file.subject,
    }));
  });
  if (parts.length === 0)
    throw new DataError(
      "CSV_RATE",
      `${path}: at ${rate} Hz every sample stands alone, for the usual step of time is ${secondsText(step)} and gaps of more than ${GAP_LIMIT_FRAMES} frames split. ${unitQuestion(step)}`,
    );
  const labels = new Set(files.flatMap((file) => file.labels.filter((label) => label !== undefined)));
  return { channels: first.channels, rateHz: rate, labels: [...labels].sort(), parts, files: files.length };
}

/** The rate of a usual step of time, seconds; throws CSV_RATE where it is too slow to be meant. */
function inferredRate(step: number, path: string): number {
  const rate = rateOfStep(step);
  if (rate >= lowestInferredHz) return rate;
  throw new DataError(
    "CSV_RATE",
    `${path}: the time columns say that a sample comes every ${secondsText(step)}. ${unitQuestion(step)} Else choose a rate with --rate.`,
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

function readCsv(path: string): CsvFile {
  checkCsvSize(statSync(path).size, path);
  return parseCsvFile(new Uint8Array(readFileSync(path)), path);
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
  return { ...file, channels: first.channels, values };
}
