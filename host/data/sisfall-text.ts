import { DataError } from "../core/system/errors.ts";
import { RAW_COLUMNS } from "./sisfall-trial.ts";

/** Columns of a row: those of a raw frame, then the MMA8451Q's three, which are not read. */
const FILE_COLUMNS = 9;
/** Rows that make a frame: 200 Hz to 50 Hz. */
const ROWS_PER_FRAME = 4;

const NEWLINE = 10;
const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const SEMICOLON = 59;

/**
 * A trial's text → (n, 6) raw counts at 50 Hz: the mean of each four rows, rounded half to even. Rows hold nine integers between commas, and
 * may end in a semicolon; blank rows are skipped, and so are up to three rows at the end that make no frame. Throws DataError.
 */
export function parseSisFallTrial(text: Uint8Array, path: string): Int16Array {
  const sums: number[] = [];
  const row = new Int32Array(FILE_COLUMNS);
  const sum = new Int32Array(RAW_COLUMNS);
  let rows = 0;
  let line = 0;
  for (let from = 0; from < text.length; ) {
    line++;
    const found = text.indexOf(NEWLINE, from);
    const to = found < 0 ? text.length : found;
    if (isRow(text, from, to, row)) {
      for (let c = 0; c < RAW_COLUMNS; c++) sum[c]! += row[c]!;
      if (++rows % ROWS_PER_FRAME === 0) {
        sums.push(...sum);
        sum.fill(0);
      }
    } else checkBlank(text.subarray(from, to), `${path}:${line}`);
    from = to + 1;
  }
  if (rows < ROWS_PER_FRAME)
    throw new DataError(
      "SISFALL_SHORT",
      `${path}:${Math.max(1, line)}: ${rows} rows, at least ${ROWS_PER_FRAME} expected. Restore the file from the archive.`,
    );
  return Int16Array.from(sums, meanOfFour);
}

/** Half to even, as NumPy rounds. */
function meanOfFour(sum: number): number {
  const floor = sum >> 2;
  const rest = sum & 3;
  return rest < 2 || (rest === 2 && floor % 2 === 0) ? floor : floor + 1;
}

/** Reads nine int16 between commas into `row`; false where the bytes from `from` to `to` are anything else. */
function isRow(text: Uint8Array, from: number, to: number, row: Int32Array): boolean {
  let at = skipBlanks(text, from, to);
  for (let column = 0; column < FILE_COLUMNS; column++) {
    const sign = text[at] === MINUS && at < to ? -1 : 1;
    if (sign < 0) at++;
    const first = at;
    let value = 0;
    for (; at < to && text[at]! - ZERO >= 0 && text[at]! - ZERO <= 9 && value < 100_000; at++) value = 10 * value + text[at]! - ZERO;
    value *= sign;
    if (at === first || value < -32768 || value > 32767) return false;
    row[column] = value;
    at = skipBlanks(text, at, to);
    if (column + 1 < FILE_COLUMNS && (at >= to || text[at++] !== COMMA)) return false;
    at = skipBlanks(text, at, to);
  }
  if (at < to && text[at] === SEMICOLON) at = skipBlanks(text, at + 1, to);
  return at === to;
}

/** Spaces, tabs and carriage returns: every control byte, since rows end at a newline. */
function skipBlanks(text: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && text[at]! <= SPACE) at++;
  return at;
}

/** Throws what is wrong with a line that is no row, unless it is blank. */
function checkBlank(bytes: Uint8Array, where: string): void {
  const text = new TextDecoder().decode(bytes).trim();
  if (skipBlanks(bytes, 0, bytes.length) === bytes.length) return;
  const fields = text.replace(/\s*;$/, "").split(",");
  if (fields.length !== FILE_COLUMNS)
    throw new DataError(
      "SISFALL_COLUMNS",
      `${where}: ${fields.length} columns, ${FILE_COLUMNS} expected (three sensors, x y z). Restore the file from the archive.`,
    );
  const bad = fields.map((field) => field.trim()).find((field) => !/^-?\d+$/.test(field) || Math.abs(Number(field) + 0.5) > 32768);
  throw new DataError("SISFALL_NUMBER", `${where}: "${(bad ?? text).slice(0, 40)}" is not an int16. Restore the file from the archive.`);
}
