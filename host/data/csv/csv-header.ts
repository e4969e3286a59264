import { isTimeUnit } from "./csv-clock.ts";
import { lineError } from "./csv-lines.ts";
import { type ReadChannel, readImuHeader } from "./imu-header.ts";

/** A channel's header: `ax`, or `ax[g]` with its unit. */
export interface CsvChannel {
  readonly name: string;
  readonly unit: string; // "" where the header names none
}

/** Which columns are channels. */
export interface CsvColumns {
  /** Columns to leave out, by name. */
  readonly ignore?: readonly string[];
  /** What a model takes: columns of these names and units are the channels, in their order, and no others. Default: all columns that are left. */
  readonly channels?: readonly CsvChannel[];
}

/** What the columns of a file are. */
export interface CsvHeader {
  readonly time: number;
  readonly timeUnit: string | undefined;
  readonly label: number;
  readonly subject: number | undefined;
  readonly recording: number | undefined;
  readonly channels: readonly (ReadChannel & { readonly column: number; readonly written: string })[];
}

const mostChannels = 16; // LIMIT_CHANNELS of an image
/** Names of the columns that are no channels, the usual one first: another counts only where those before it are not there. */
const meanings = {
  time: ["time", "timestamp", "datetime"],
  label: ["label", "activity", "class"],
  subject: ["subject", "user", "participant"],
  recording: ["recording"],
} as const;
type Meaning = keyof typeof meanings;

/** Reads a file's first line. Throws CSV_HEADER. */
export function readCsvHeader(
  fields: readonly string[],
  path: string,
  line: number,
  { ignore = [], channels: wanted }: CsvColumns,
): CsvHeader {
  const fail = (what: string, fix: string) => lineError(path, line, what, fix, "CSV_HEADER");
  const mend = "Begin the file with time,<channels>,label, and a subject column if the file's name does not say who wore it.";
  const left = new Set(ignore.map((name) => name.toLowerCase()));
  const columns = fields
    .map((field, column) => ({ field, column, ...splitHeader(field) }))
    .filter(({ field, name, column }) => {
      if (left.has(name?.toLowerCase() ?? "") || left.has(field.toLowerCase())) return false;
      if (name !== undefined) return true;
      throw fail(`column ${column + 1} is called "${field}"`, `Name it, maybe with a unit: ax or ax[g]. ${mend}`);
    }) as { field: string; column: number; name: string; unit: string | undefined }[];
  const keys = columns.map(({ name }) => name.toLowerCase());
  const twice = keys.findIndex((key, i) => keys.indexOf(key) !== i);
  if (twice >= 0) throw fail(`two columns are called ${columns[twice]!.name}`, "Give each its own name.");
  const find = (meaning: Meaning) => columns[meanings[meaning].map((name) => keys.indexOf(name)).find((at) => at >= 0) ?? -1];
  const special = { time: find("time"), label: find("label"), subject: find("subject"), recording: find("recording") };
  for (const meaning of ["time", "label"] as const)
    if (special[meaning] === undefined)
      throw fail(`no column ${meanings[meaning].join(" or ")} in "${fields.join(",").slice(0, 120)}"`, mend);
  for (const [meaning, column] of Object.entries(special)) {
    if (column?.unit === undefined || (meaning === "time" && isTimeUnit(column.unit))) continue;
    throw fail(
      `column ${column.name} has the unit "${column.unit}"`,
      meaning === "time" ? "Give time in h, min, s, ms, us or ns: time[ms]." : "Leave it out: only time and channels have one.",
    );
  }
  const others = columns.filter((column) => !Object.values(special).includes(column));
  const channels = chooseChannels(others, wanted, fail);
  if (channels.length < 1 || channels.length > mostChannels)
    throw fail(
      `${channels.length} channels, 1 to ${mostChannels} are taken`,
      channels.length < 1 ? mend : "Leave the columns that the agent can do without out with --ignore NAME,NAME.",
    );
  return {
    time: special.time!.column,
    timeUnit: special.time!.unit,
    label: special.label!.column,
    subject: special.subject?.column,
    recording: special.recording?.column,
    channels,
  };
}

/** `ax`, `ax[g]`, `ax (g)`: name and unit; no name where the brackets do not close. */
function splitHeader(field: string): { readonly name: string | undefined; readonly unit: string | undefined } {
  const [, name, square, round] = /^([^[\]]*?)\s*(?:\[([^[\]]*)\]|\(([^()]*)\))?$/.exec(field) ?? [];
  return { name: name === "" ? undefined : name, unit: (square ?? round)?.trim() };
}

type Column = { readonly field: string; readonly column: number; readonly name: string; readonly unit: string | undefined };

function chooseChannels(
  columns: readonly Column[],
  wanted: readonly CsvChannel[] | undefined,
  fail: (what: string, fix: string) => Error,
): CsvHeader["channels"] {
  const read = columns.map(({ field, column, name, unit = "" }) => ({ column, written: field, ...readImuHeader(name, unit) }));
  if (wanted !== undefined) {
    const named = (channels: readonly CsvChannel[]): string => channels.map(({ name, unit }) => `${name}[${unit}]`).join(",");
    return wanted.map((channel) => {
      const plain = columns.find(({ name, unit = "" }) => name === channel.name && unit === channel.unit);
      if (plain) return { column: plain.column, written: plain.field, name: channel.name, unit: channel.unit, factor: 1 };
      const same = read.find(({ name, unit }) => name === channel.name && unit === channel.unit);
      if (same) return same;
      throw fail(
        `the channels ${named(read)}, the model takes ${named(wanted)}`,
        `Give recordings of its sensor: ${channel.name}[${channel.unit}] is missing.`,
      );
    });
  }
  const twice = read.find(({ name }, i) => read.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) !== i);
  if (twice) throw fail(`two columns are ${twice.name}[${twice.unit}], one of them ${twice.written}`, "Leave one out with --ignore.");
  return read;
}
