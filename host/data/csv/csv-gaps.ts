import { DataError } from "../../core/system/errors.ts";
import type { CsvFile } from "./csv-file.ts";

/**
 * Fills missing values between two that are there and at most `gapSeconds` apart by straight lines, and leaves the lines out that still miss one: they
 * are gaps. Undefined where fewer than two lines are left. Throws CSV_EMPTY where a channel has no value at all.
 */
export function bridgeGaps(file: CsvFile, gapSeconds: number): CsvFile | undefined {
  const { time, channels } = file;
  if (!file.values.some(Number.isNaN)) return file;
  const n = channels.length;
  const values = file.values.slice();
  for (let c = 0; c < n; c++) {
    let before = -1;
    for (let row = 0; row < time.length; row++) {
      if (Number.isNaN(values[row * n + c]!)) continue;
      if (before >= 0 && row - before > 1 && time[row]! - time[before]! <= gapSeconds)
        for (let i = before + 1; i < row; i++) {
          const share = (time[i]! - time[before]!) / (time[row]! - time[before]!);
          values[i * n + c] = (1 - share) * values[before * n + c]! + share * values[row * n + c]!;
        }
      before = row;
    }
    if (before < 0)
      throw new DataError(
        "CSV_EMPTY",
        `${file.path}: column ${file.headers[c]} holds no number. Leave it out with --ignore ${channels[c]!.name}, or leave the file out.`,
      );
  }
  const rows = Array.from(time, (_, row) => row).filter((row) => !values.subarray(row * n, (row + 1) * n).some(Number.isNaN));
  if (rows.length < 2) return undefined;
  return {
    ...file,
    time: Float64Array.from(rows, (row) => time[row]!),
    values: Float64Array.from({ length: rows.length * n }, (_, i) => values[rows[Math.floor(i / n)]! * n + (i % n)]!),
    labels: rows.map((row) => file.labels[row]),
  };
}
