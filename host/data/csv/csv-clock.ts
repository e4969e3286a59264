import { lineError } from "./csv-lines.ts";

/** Units of a time column by their steps per second; both the micro sign and the Greek letter stand for micro. */
const stepsASecond: ReadonlyMap<string, number> = new Map([
  ["h", 1 / 3600],
  ["min", 1 / 60],
  ["s", 1],
  ["ms", 1e3],
  ["us", 1e6],
  ["\u00b5s", 1e6],
  ["\u03bcs", 1e6],
  ["ns", 1e9],
]);
const largestTime = 2 ** 63; // nanoseconds since 1970 as a double are right to 256 ns
/** 2026-05-01T12:00:00.020Z, 2026-05-01 12:00:00+02:00, 2026-05-01 12:00: a date and a time; without a zone it is UTC. */
const isoPattern = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)([.,]\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/** How a file's time column is read. */
export interface CsvClock {
  /** Seconds since the file's first time. */
  read(field: string, line: number): number;
  /** Whether the file says in what unit its times are: by its header, or as dates. */
  readonly hasUnit: () => boolean;
}

/** Reads times: numbers in the header's unit (seconds if it names none), or ISO 8601 dates. Throws a DataError that names the line. */
export function createCsvClock(unit: string | undefined, path: string): CsvClock {
  const steps = stepsASecond.get(unit ?? "s")!;
  let first: number | undefined;
  let isDate: boolean | undefined;
  return {
    hasUnit: () => isDate === true || unit !== undefined,
    read(field, line) {
      isDate ??= isoPattern.test(field);
      if (isDate) {
        const millis = readIso(field, path, line);
        first ??= millis;
        return (millis - first) / 1000;
      }
      const value = field === "" ? Number.NaN : Number(field);
      if (Number.isNaN(value) || Math.abs(value) > largestTime)
        throw lineError(
          path,
          line,
          field === "" ? "no value for time" : `"${field.slice(0, 40)}" for time`,
          "Write seconds as a number, another unit as its header says (time[ms]), or a date: 2026-05-01T12:00:00.020Z.",
          "CSV_TIME",
        );
      first ??= value;
      return (value - first) / steps;
    },
  };
}

/** Whether a header's unit of time is known. */
export function isTimeUnit(unit: string): boolean {
  return stepsASecond.has(unit);
}

/** Milliseconds since 1970, with their fraction. */
function readIso(field: string, path: string, line: number): number {
  const found = isoPattern.exec(field);
  const [, year, month, day, hour, minute, second = "0", fraction = "", zone = "Z"] = found ?? [];
  const whole = found ? Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second.padStart(2, "0")}Z`) : Number.NaN;
  if (Number.isNaN(whole))
    throw lineError(
      path,
      line,
      `"${field.slice(0, 40)}" for time, the lines before have dates`,
      "Write every time alike: 2026-05-01T12:00:00.020Z.",
      "CSV_TIME",
    );
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const ahead = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  return whole - ahead + (fraction === "" ? 0 : Number(`0.${fraction.slice(1)}`) * 1000);
}
