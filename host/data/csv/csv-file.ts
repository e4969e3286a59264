import { basename } from "node:path";
import { DataError } from "../../core/system/errors.ts";
import { csvLines, lineError } from "./csv-lines.ts";
import { subjectOfName } from "./subject-name.ts";

/** One CSV file as it stands: its own times, its own units. */
export interface CsvFile {
  readonly path: string;
  readonly name: string; // the file's name without .csv
  readonly subject: string;
  readonly channels: readonly CsvChannel[]; // in the file's order
  readonly time: Float64Array; // (n,) seconds since its first sample, increasing
  readonly values: Float64Array; // (n, channels)
  readonly labels: readonly (string | undefined)[]; // (n,) undefined: unlabelled
}

/** A channel's header: `ax`, or `ax[g]` with its unit. */
export interface CsvChannel {
  readonly name: string;
  readonly unit: string; // "" where the header names none
}

const mostChannels = 16; // LIMIT_CHANNELS of an image
const longestLabel = 64;
/** Units of time by their steps per second; both the micro sign and the Greek letter stand for micro. */
const stepsASecond: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["ms", 1e3],
  ["us", 1e6],
  ["\u00b5s", 1e6],
  ["\u03bcs", 1e6],
  ["ns", 1e9],
]);
const largestTime = 2 ** 63; // nanoseconds since 1970 as a double are right to 256 ns
const largestValue = 1e12;

/**
 * Reads one CSV file: a header `time,<channel…>,label[,subject]` (columns in any order), then a line a sample. Time is in seconds, or
 * in the unit of its header (`time[ms]`; s, ms, us or ns), and increases; channels are finite numbers with a decimal point; an empty label means unlabelled; the subject is the same in all lines, and
 * comes from the file's name where there is no such column. Throws a DataError that names the line.
 */
export function parseCsvFile(bytes: Uint8Array, path: string): CsvFile {
  const lines = csvLines(bytes, path);
  const header = lines.next();
  if (header.done) throw lineError(path, 1, "the file is empty", "Begin it with time,<channels>,label.");
  const columns = readHeader(header.value.fields, path, header.value.line);
  const { channels } = columns;
  const width = header.value.fields.length;
  const names = new Map<string, string>(); // one string a label, however many lines
  const time = new Growing();
  const values = new Growing();
  const labels: (string | undefined)[] = [];
  let subject: string | undefined;
  let first = 0; // times as they are written, in the header's unit
  let before = Number.NEGATIVE_INFINITY;
  for (const { line, fields } of lines) {
    if (fields.length !== width)
      throw lineError(
        path,
        line,
        `${fields.length} fields, the header has ${width}`,
        "Add or remove fields; a decimal comma must become a point.",
      );
    const now = numberIn(fields[columns.time]!, "time", largestTime, path, line);
    if (now <= before)
      throw lineError(
        path,
        line,
        `time ${now} after ${before}`,
        "Sort the lines by time and leave doubles out; put each recording into a file of its own.",
      );
    if (time.length === 0) first = now;
    before = now;
    time.push((now - first) / columns.stepsASecond);
    for (const { column, name } of channels) values.push(numberIn(fields[column]!, name, largestValue, path, line));
    labels.push(labelIn(fields[columns.label]!, names, path, line));
    if (columns.subject === undefined) continue;
    const who = fields[columns.subject]!;
    if (who === "") throw lineError(path, line, "no subject", "Fill the subject column in every line.");
    if (subject !== undefined && who !== subject)
      throw lineError(path, line, `subject "${who}" after "${subject}"`, "Put each wearer into files of their own.");
    subject = who;
  }
  if (time.length < 2) throw lineError(path, header.value.line, `${time.length} samples after the header`, "Give at least two.");
  const name = basename(path).replace(/\.csv$/i, "");
  return {
    path,
    name,
    subject: subject ?? subjectOfName(name, path),
    channels: channels.map(({ name: channel, unit }) => ({ name: channel, unit })),
    time: time.values(),
    values: values.values(),
    labels,
  };
}

function readHeader(fields: readonly string[], path: string, line: number) {
  const mend = "Begin the file with time,<channels>,label, and a subject column if the file's name does not say who wore it.";
  const seen = new Set<string>();
  const channels: (CsvChannel & { readonly column: number })[] = [];
  const special: Record<string, number> = {};
  let timeStepsASecond = 1; // seconds where the header names no unit
  fields.forEach((field, column) => {
    const [, name, unit] = /^([^[\]]*?)\s*(?:\[([^[\]]*)\])?$/.exec(field) ?? [];
    if (!name)
      throw lineError(
        path,
        line,
        `column ${column + 1} is called "${field}"`,
        `Name it, maybe with a unit: ax or ax[g]. ${mend}`,
        "CSV_HEADER",
      );
    const key = name.toLowerCase();
    if (seen.has(key)) throw lineError(path, line, `two columns are called ${name}`, "Give each its own name.", "CSV_HEADER");
    seen.add(key);
    if (key === "time" || key === "label" || key === "subject") {
      special[key] = column;
      if (unit === undefined) return;
      const steps = key === "time" ? stepsASecond.get(unit.trim()) : undefined;
      if (steps === undefined)
        throw lineError(
          path,
          line,
          `column ${key} has the unit "${unit}"`,
          key === "time" ? "Give time in s, ms, us or ns: time[ms]." : "Leave it out: only time and channels have one.",
          "CSV_HEADER",
        );
      timeStepsASecond = steps;
    } else channels.push({ name, unit: unit ?? "", column });
  });
  const { time, label, subject } = special;
  if (time === undefined || label === undefined)
    throw lineError(
      path,
      line,
      `no column ${time === undefined ? "time" : "label"} in "${fields.join(",").slice(0, 120)}"`,
      mend,
      "CSV_HEADER",
    );
  if (channels.length < 1 || channels.length > mostChannels)
    throw lineError(path, line, `${channels.length} channels, 1 to ${mostChannels} are taken`, mend, "CSV_HEADER");
  return { time, label, subject, channels, stepsASecond: timeStepsASecond };
}

function numberIn(field: string, column: string, largest: number, path: string, line: number): number {
  const value = field === "" ? Number.NaN : Number(field);
  if (Math.abs(value) <= largest) return value;
  if (Number.isFinite(value))
    throw lineError(
      path,
      line,
      `${value} for ${column}, at most ${largest.toPrecision(1)} either way is taken`,
      "Choose a larger unit, or leave the whole line out.",
      "CSV_NUMBER",
    );
  const what = field === "" ? `no value for ${column}` : `"${field.slice(0, 40)}" for ${column}`;
  throw lineError(
    path,
    line,
    `${what}; a finite number is expected`,
    "Write it with a decimal point, or leave the whole line out: gaps are bridged or split.",
    "CSV_NUMBER",
  );
}

function labelIn(field: string, names: Map<string, string>, path: string, line: number): string | undefined {
  if (field === "") return undefined;
  if (field.length > longestLabel)
    throw lineError(path, line, `a label of ${field.length} characters, at most ${longestLabel} are taken`, "Shorten it.", "CSV_LABEL");
  const known = names.get(field);
  if (known !== undefined) return known;
  names.set(field, field);
  return field;
}

/** Numbers in a buffer that doubles. */
class Growing {
  #buffer = new Float64Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#buffer.length) {
      const grown = new Float64Array(2 * this.length);
      grown.set(this.#buffer);
      this.#buffer = grown;
    }
    this.#buffer[this.length++] = value;
  }

  at(i: number): number {
    return this.#buffer[i]!;
  }

  values(): Float64Array {
    return this.#buffer.slice(0, this.length);
  }
}

/** A file too large to read at once throws CSV_TOO_LARGE. */
export function checkCsvSize(bytes: number, path: string): void {
  const most = 256 * 2 ** 20;
  if (bytes > most)
    throw new DataError("CSV_TOO_LARGE", `${path}: ${bytes} bytes, at most ${most} are read. Split the recording into several files.`);
}
