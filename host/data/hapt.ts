import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../core/system/errors.ts";
import type { Dataset, Recording, Segment } from "./recording.ts";

/** Accelerometer counts per g and gyroscope counts per °/s of every IMU frame. */
export const HAPT_COUNTS_PER_G = 2048;
export const HAPT_COUNTS_PER_DEGREE_SECOND = 16;
/** Channels of a frame: ax ay az gx gy gz. */
export const HAPT_CHANNELS = 6;
/** HAPT's own activity numbers: 1–6 basic, 7–12 postural transitions, 0 = unlabelled here. */
export const HAPT_LABELS = 12;
/** Labels 1…6 are scored; a window within a transition is not. */
const HAPT_BASIC_LABELS = 6;
/** Wearers of the official test split. */
export const HAPT_TEST_USERS: readonly string[] = ["2", "4", "9", "10", "12", "13", "18", "20", "24"];

const radiansToDegrees = 180 / Math.PI;

/**
 * Reads the official HAPT layout (`RawData/acc_expEE_userUU.txt` in g, `gyro_…` in rad/s, `labels.txt`) into int16 counts.
 * `dir` is the HAPT folder or its parent. Source: Reyes-Ortiz et al., UCI "Smartphone-Based Recognition of Human
 * Activities and Postural Transitions" v2.1.
 */
export function loadHapt(dir: string): Dataset {
  const raw = findRawData(dir);
  const segments = readLabels(join(raw, "labels.txt"));
  const recordings: Recording[] = [];
  for (const name of readdirSync(raw).sort()) {
    const match = /^acc_exp(\d+)_user(\d+)\.txt$/.exec(name);
    if (!match) continue;
    const experiment = Number(match[1]);
    const user = Number(match[2]);
    const gyroName = name.replace("acc_", "gyro_");
    if (!existsSync(join(raw, gyroName))) throw missing(join(raw, gyroName), `it is the gyroscope half of ${name}`);
    const acc = readTriad(join(raw, name));
    const gyro = readTriad(join(raw, gyroName));
    if (acc.length !== gyro.length)
      throw new DataError(
        "HAPT_RAGGED",
        `${join(raw, name)}:${Math.min(acc.length, gyro.length) / 3 + 1}: ${acc.length / 3} rows, but ${gyroName} has ${gyro.length / 3}. The two must have a row for each tick: unpack the archive again.`,
      );
    const own = segments.filter((row) => row.experiment === experiment);
    recordings.push(joinRecording(experiment, user, acc, gyro, own, join(raw, "labels.txt")));
  }
  if (recordings.length === 0) throw missing(join(raw, "acc_exp01_user01.txt"), "the folder has no recording at all");
  const known = new Set(recordings.map(haptExperiment));
  for (const row of segments)
    if (!known.has(row.experiment))
      throw missing(
        join(raw, `acc_exp${String(row.experiment).padStart(2, "0")}_user${String(row.user).padStart(2, "0")}.txt`),
        `labels.txt:${row.line} labels it`,
      );
  return { recordings };
}

/** The experiment's number in a HAPT recording's name. */
export function haptExperiment({ name }: Recording): number {
  return Number(/^exp(\d+)_/.exec(name)?.[1]);
}

interface LabelRow extends Segment {
  readonly experiment: number;
  readonly user: number;
  readonly line: number;
}

function findRawData(dir: string): string {
  for (const candidate of [join(dir, "RawData"), join(dir, "HAPT", "RawData"), dir])
    if (existsSync(join(candidate, "labels.txt"))) return candidate;
  throw missing(join(dir, "RawData", "labels.txt"), "DIR must be the HAPT folder or its parent");
}

function missing(path: string, why: string): DataError {
  return new DataError("HAPT_MISSING", `${path} is missing: ${why}. Unpack the whole HAPT archive and name its folder.`);
}

function joinRecording(
  experiment: number,
  user: number,
  acc: Float64Array,
  gyro: Float64Array,
  rows: readonly LabelRow[],
  labelsPath: string,
): Recording {
  const n = acc.length / 3;
  const frames = new Int16Array(n * HAPT_CHANNELS);
  for (let i = 0; i < n; i++)
    for (let axis = 0; axis < 3; axis++) {
      frames[i * HAPT_CHANNELS + axis] = toCounts(acc[i * 3 + axis]! * HAPT_COUNTS_PER_G);
      frames[i * HAPT_CHANNELS + 3 + axis] = toCounts(gyro[i * 3 + axis]! * radiansToDegrees * HAPT_COUNTS_PER_DEGREE_SECOND);
    }
  const labels = new Uint8Array(n);
  for (const row of rows) {
    if (row.user !== user)
      throw new DataError(
        "HAPT_LABELS",
        `${labelsPath}:${row.line}: experiment ${experiment} belongs to user ${user}, not ${row.user}. Restore labels.txt from the archive.`,
      );
    if (row.end > n)
      throw new DataError(
        "HAPT_LABELS",
        `${labelsPath}:${row.line}: last sample ${row.end} of experiment ${experiment}, which has ${n}. Restore labels.txt or the recording from the archive.`,
      );
    labels.fill(row.label, row.start, row.end);
  }
  const pad = (number: number): string => String(number).padStart(2, "0");
  return {
    name: `exp${pad(experiment)}_user${pad(user)}`,
    subject: String(user),
    channels: HAPT_CHANNELS,
    frames,
    labels,
    segments: rows.map(({ label, start, end }) => ({ label, start, end })),
    scoredLabels: HAPT_BASIC_LABELS,
  };
}

/** Half up, clamped to int16. */
function toCounts(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.floor(value + 0.5)));
}

/** Rows of three finite numbers → (n, 3). */
function readTriad(path: string): Float64Array {
  const values: number[] = [];
  for (const [line, fields] of rows(path)) {
    if (fields.length !== 3)
      throw new DataError(
        "HAPT_COLUMNS",
        `${path}:${line}: ${fields.length} columns, 3 expected (x y z). Restore the file from the archive.`,
      );
    for (const field of fields) values.push(parse(field, path, line));
  }
  if (values.length === 0) throw new DataError("HAPT_COLUMNS", `${path}:1: no rows. Restore the file from the archive.`);
  return Float64Array.from(values);
}

function readLabels(path: string): LabelRow[] {
  const result: LabelRow[] = [];
  for (const [line, fields] of rows(path)) {
    if (fields.length !== 5)
      throw new DataError(
        "HAPT_COLUMNS",
        `${path}:${line}: ${fields.length} columns, 5 expected (experiment user activity first last). Restore the file from the archive.`,
      );
    const [experiment, user, label, first, last] = fields.map((field) => parse(field, path, line)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    if (!Number.isInteger(label) || label < 1 || label > HAPT_LABELS)
      throw new DataError(
        "HAPT_LABELS",
        `${path}:${line}: activity ${label}, 1…${HAPT_LABELS} expected. Restore labels.txt from the archive.`,
      );
    if (!Number.isInteger(first) || !Number.isInteger(last) || first < 1 || last < first)
      throw new DataError(
        "HAPT_LABELS",
        `${path}:${line}: samples ${first} to ${last}; they count from 1 and the last is not before the first. Restore labels.txt from the archive.`,
      );
    result.push({ experiment, user, label, start: first - 1, end: last, line });
  }
  return result;
}

function* rows(path: string): Generator<[number, string[]]> {
  let line = 0;
  for (const text of readFileSync(path, "utf8").split("\n")) {
    line++;
    const fields = text.trim().split(/\s+/);
    if (fields[0] !== "") yield [line, fields];
  }
}

function parse(field: string, path: string, line: number): number {
  const value = Number(field);
  if (!Number.isFinite(value))
    throw new DataError("HAPT_NUMBER", `${path}:${line}: "${field}" is not a finite number. Restore the file from the archive.`);
  return value;
}
