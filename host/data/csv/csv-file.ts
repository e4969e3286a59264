import { basename } from "node:path";
import { DataError } from "../../core/system/errors.ts";
import { createCsvClock } from "./csv-clock.ts";
import { type CsvChannel, type CsvColumns, readCsvHeader } from "./csv-header.ts";
import { csvLines, lineError } from "./csv-lines.ts";
import { Growing } from "./growing.ts";
import { subjectOfName } from "./subject-name.ts";

/** One recording of a CSV file as it stands: its own times, its own units. */
export interface CsvFile {
  readonly path: string;
  readonly name: string; // the file's name without .csv, with .2, .3 … from its second recording on
  readonly subject: string;
  readonly channels: readonly CsvChannel[]; // in the file's order
  readonly headers: readonly string[]; // (channels,) as they are written
  readonly time: Float64Array; // (n,) seconds since its first sample, increasing
  readonly hasTimeUnit: boolean; // the header says it, or the times are dates
  readonly values: Float64Array; // (n, channels); NaN where a cell is empty
  readonly labels: readonly (string | undefined)[]; // (n,) undefined: unlabelled
  readonly doubles: number; // lines left out: they have the time of the line before
}

const longestLabel = 64;
const largestValue = 1e12;
/** What stands for a missing value, in lower case. */
const missing: ReadonlySet<string> = new Set(["", "nan", "na", "n/a", "null", "none", "-"]);
/** Times that go back more often than once in so many lines are out of order, and not the beginnings of recordings. */
const fewestLinesARecording = 16;

/**
 * Reads one CSV file: a header `time,<channel…>,label[,subject][,recording]` (columns in any order), then a line a sample. Times are
 * seconds, in the unit of their header, or dates; channels are finite numbers, an empty cell or NaN is a gap; an empty label means
 * unlabelled. A new recording begins where the subject or the recording changes, or where time goes back. Without a subject column the file's name says who wore it.
 * Throws a DataError that names the line.
 */
export function parseCsvFile(bytes: Uint8Array, path: string, wanted: CsvColumns = {}): CsvFile[] {
  const lines = csvLines(bytes, path);
  const first = lines.next();
  if (first.done) throw lineError(path, 1, "the file is empty", "Begin it with time,<channels>,label.");
  const header = readCsvHeader(first.value.fields, path, first.value.line, wanted);
  const width = first.value.fields.length;
  const clock = createCsvClock(header.timeUnit, path);
  const name = basename(path).replace(/\.csv$/i, "");
  const names = new Map<string, string>(); // one string a label, however many lines
  const recordings: Samples[] = [];
  let samples: Samples | undefined;
  let lastLine = first.value.line;
  let doubles = 0;
  for (const { line, fields, hasDecimalCommas } of lines) {
    lastLine = line;
    if (fields.length !== width)
      throw lineError(
        path,
        line,
        `${fields.length} fields, the header has ${width}`,
        "Add or remove fields; a decimal comma must become a point, or put semicolons between the fields.",
      );
    const at = fields[header.time]!;
    const seconds = clock.read(hasDecimalCommas ? at.replace(",", ".") : at, line);
    const subject = header.subject === undefined ? "" : fields[header.subject]!;
    if (header.subject !== undefined && subject === "") throw lineError(path, line, "no subject", "Fill the subject column in every line.");
    const recording = header.recording === undefined ? "" : fields[header.recording]!;
    const isSame = samples?.subject === subject && samples.recording === recording;
    if (isSame && seconds === samples!.last) {
      doubles++;
      continue;
    }
    if (!isSame || seconds < samples!.last) {
      samples = { subject, recording, began: seconds, last: seconds, time: new Growing(), values: new Growing(), labels: [] };
      recordings.push(samples);
    }
    samples!.last = seconds;
    samples!.time.push(seconds - samples!.began);
    for (const { column, written, factor } of header.channels)
      samples!.values.push(factor * numberIn(fields[column]!, hasDecimalCommas, written, path, line));
    samples!.labels.push(labelIn(fields[header.label]!, names, path, line));
  }
  const count = recordings.reduce((sum, { time }) => sum + time.length, 0);
  if (count < 2) throw lineError(path, first.value.line, `${count} samples after the header`, "Give at least two.");
  if (recordings.length > 1 && count < fewestLinesARecording * recordings.length)
    throw lineError(
      path,
      lastLine,
      `${recordings.length} times in ${count} lines the time goes back or the subject changes`,
      "Sort the lines by subject, then by time.",
      "CSV_TIME",
    );
  const whole = recordings.filter(({ time }) => time.length > 1);
  return whole.map(({ subject, time, values, labels }, i) => ({
    path,
    name: i === 0 ? name : `${name}.${i + 1}`,
    subject: header.subject === undefined ? subjectOfName(name, path) : subject,
    channels: header.channels.map(({ name: channel, unit }) => ({ name: channel, unit })),
    headers: header.channels.map(({ written }) => written),
    time: time.values(),
    hasTimeUnit: clock.hasUnit(),
    values: values.values(),
    labels,
    doubles: i === 0 ? doubles : 0,
  }));
}

interface Samples {
  readonly subject: string;
  readonly recording: string;
  readonly began: number;
  last: number;
  readonly time: Growing;
  readonly values: Growing;
  readonly labels: (string | undefined)[];
}

/** A channel's value; NaN where there is none. */
function numberIn(field: string, hasDecimalCommas: boolean, column: string, path: string, line: number): number {
  if (missing.has(field.toLowerCase())) return Number.NaN;
  const value = Number(hasDecimalCommas ? field.replace(",", ".") : field);
  if (Math.abs(value) <= largestValue) return value;
  if (Number.isFinite(value))
    throw lineError(
      path,
      line,
      `${value} for ${column}, at most ${largestValue.toPrecision(1)} either way is taken`,
      "Choose a larger unit, or leave the cell empty.",
      "CSV_NUMBER",
    );
  throw lineError(
    path,
    line,
    `"${field.slice(0, 40)}" for ${column}; a finite number is expected`,
    `Write it with a decimal point, leave the cell empty for a gap, or leave the column out with --ignore ${column.replace(/\s*[[(].*$/, "")}.`,
    "CSV_NUMBER",
  );
}

function labelIn(field: string, names: Map<string, string>, path: string, line: number): string | undefined {
  if (field === "" || field.toLowerCase() === "nan") return undefined;
  if (field.length > longestLabel)
    throw lineError(path, line, `a label of ${field.length} characters, at most ${longestLabel} are taken`, "Shorten it.", "CSV_LABEL");
  const known = names.get(field);
  if (known !== undefined) return known;
  names.set(field, field);
  return field;
}

/** A file too large to read at once throws CSV_TOO_LARGE. */
export function checkCsvSize(bytes: number, path: string): void {
  const most = 256 * 2 ** 20;
  if (bytes > most)
    throw new DataError("CSV_TOO_LARGE", `${path}: ${bytes} bytes, at most ${most} are read. Split the recording into several files.`);
}
