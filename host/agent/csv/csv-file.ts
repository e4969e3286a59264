import { basename } from "node:path";
import { DataError } from "../../core/errors.ts";
import { csvLines, lineError } from "./csv-lines.ts";
import { subjectOfName } from "./subject-name.ts";

/** One CSV file as it stands: its own times, its own units. */
export interface CsvFile {
  readonly path: string;
  readonly name: string; // the file's name without .csv
  readonly subject: string;
  readonly channels: readonly CsvChannel[]; // in the file's order
  readonly time: Float64Array; // (n,) seconds, increasing
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

/**
 * Reads one CSV file: a header `time,<channel…>,label[,subject]` (columns in any order), then a line a sample. Time is in seconds and
 * increases; channels are finite numbers with a decimal point; an empty label means unlabelled; the subject is the same in all lines, and
 * comes from the file's name where there is no such column. Throws a DataError that names the line.
 */
export function parseCsvFile(bytes: Uint8Array, path: string): CsvFile {
  const lines = csvLines(bytes, path);
  const first = lines.next();
  if (first.done) throw lineError(path, 1, "the file is empty", "Begin it with time,<channels>,label.");
  const columns = readHeader(first.value.fields, path, first.value.line);
  const { channels } = columns;
  const width = first.value.fields.length;
  const names = new Map<string, string>(); // one string a label, however many lines
  const time = new Growing();
  const values = new Growing();
  const labels: (string | undefined)[] = [];
  let subject: string | undefined;
  for (const { line, fields } of lines) {
    if (fields.length !== width)
      throw lineError(
        path,
        line,
        `${fields.length} fields, the header has ${width}`,
        "Add or remove fields; a decimal comma must become a point.",
      );
    const now = numberIn(fields[columns.time]!, "time", path, line);
    if (time.length > 0 && now <= time.at(time.length - 1))
      throw lineError(
        path,
        line,
        `time ${now} after ${time.at(time.length - 1)}`,
        "Sort the lines by time and leave doubles out; put each recording into a file of its own.",
      );
    time.push(now);
    for (const { column, name } of channels) values.push(numberIn(fields[column]!, name, path, line));
    labels.push(labelIn(fields[columns.label]!, names, path, line));
    if (columns.subject === undefined) continue;
    const who = fields[columns.subject]!;
    if (who === "") throw lineError(path, line, "no subject", "Fill the subject column in every line.");
    if (subject !== undefined && who !== subject)
      throw lineError(path, line, `subject "${who}" after "${subject}"`, "Put each wearer into files of their own.");
    subject = who;
  }
  if (time.length < 2) throw lineError(path, first.value.line, `${time.length} samples after the header`, "Give at least two.");
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
    if (key === "time" || key === "label" || key === "subject") special[key] = column;
    else channels.push({ name, unit: unit ?? "", column });
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
  return { time, label, subject, channels };
}

function numberIn(field: string, column: string, path: string, line: number): number {
  const value = field === "" ? Number.NaN : Number(field);
  if (Number.isFinite(value) && Math.abs(value) <= 1e12) return value;
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
