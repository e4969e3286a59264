import { DataError } from "../../core/system/errors.ts";

/** Longest line that is read: a frame of 16 channels is far below. */
const longestLineBytes = 4096;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const [newline, carriageReturn, quote, comma, semicolon, space, tab] = [0x0a, 0x0d, 0x22, 0x2c, 0x3b, 0x20, 0x09];

/** A line of a CSV text: its number, counted from 1, and its fields. */
export interface CsvLine {
  readonly line: number;
  readonly fields: string[];
  readonly hasDecimalCommas: boolean; // fields end at semicolons or tabs, so that 1,5 is a number
}

/**
 * Lines of a CSV text, split into fields at commas, semicolons or tabs: whichever the first line has most of. A field may stand in double quotes with
 * "" for a quote in it (RFC 4180, but no line break within quotes). Blanks around a field or its quotes are left out. UTF-8 with or without a byte order mark; \n or \r\n; empty lines are
 * left out. Holds one line at a time. Throws CSV_LINE.
 */
export function* csvLines(bytes: Uint8Array, path: string): Generator<CsvLine> {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let line = 0;
  let delimiter: number | undefined;
  for (let start = hasMark ? 3 : 0; start < bytes.length; ) {
    line++;
    const found = bytes.indexOf(newline, start);
    const next = found < 0 ? bytes.length : found + 1;
    let end = found < 0 ? bytes.length : found;
    if (end > start && bytes[end - 1] === carriageReturn) end--;
    if (end - start > longestLineBytes)
      throw lineError(
        path,
        line,
        `a line of ${end - start} bytes, at most ${longestLineBytes} are read`,
        "Is it a CSV file with a line a sample?",
      );
    if (end > start) {
      const own = bytes.subarray(start, end);
      delimiter ??= findDelimiter(own);
      yield { line, fields: splitFields(own, delimiter, path, line), hasDecimalCommas: delimiter !== comma };
    }
    start = next;
  }
}

/** The delimiter that stands most often outside quotes; a comma where none does. */
function findDelimiter(bytes: Uint8Array): number {
  const counts = new Map([comma, semicolon, tab].map((one) => [one, 0]));
  let isQuoted = false;
  for (const byte of bytes) {
    if (byte === quote) isQuoted = !isQuoted;
    if (!isQuoted && counts.has(byte)) counts.set(byte, counts.get(byte)! + 1);
  }
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

function splitFields(bytes: Uint8Array, delimiter: number, path: string, line: number): string[] {
  const fields: string[] = [];
  const text = (from: number, to: number): string => {
    try {
      return decoder.decode(bytes.subarray(from, to)).trim();
    } catch {
      throw lineError(path, line, "bytes that are not UTF-8", "Save the file as UTF-8.");
    }
  };
  const pastBlanks = (from: number): number => {
    let i = from;
    while (bytes[i] === space || (bytes[i] === tab && delimiter !== tab)) i++;
    return i;
  };
  for (let at = 0; at <= bytes.length; ) {
    const open = pastBlanks(at);
    if (bytes[open] === quote) {
      let close = open + 1;
      while (close < bytes.length && (bytes[close] !== quote || bytes[close + 1] === quote)) close += bytes[close] === quote ? 2 : 1;
      if (close >= bytes.length) throw lineError(path, line, "a quote that is not closed", "Close it; a field cannot hold a line break.");
      const end = pastBlanks(close + 1);
      if (end < bytes.length && bytes[end] !== delimiter)
        throw lineError(path, line, "text after a closing quote", `Put ${delimiterName(delimiter)} after it.`);
      fields.push(text(open + 1, close).replaceAll('""', '"'));
      at = end + 1;
    } else {
      const found = bytes.indexOf(delimiter, at);
      const end = found < 0 ? bytes.length : found;
      fields.push(text(at, end));
      at = end + 1;
    }
  }
  return fields;
}

function delimiterName(delimiter: number): string {
  return delimiter === comma ? "a comma" : delimiter === semicolon ? "a semicolon" : "a tab";
}

/** An error at a line: what is wrong, how to mend it. */
export function lineError(path: string, line: number, what: string, mend: string, code = "CSV_LINE"): DataError {
  return new DataError(code, `${path}:${line}: ${what}. ${mend}`);
}
