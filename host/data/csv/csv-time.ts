import type { CsvFile } from "./csv-file.ts";

/** A stretch of a file without gaps, at the agent's rate. */
export interface ResampledPart {
  readonly values: Float64Array; // (n, channels), the file's units
  readonly labels: readonly (string | undefined)[]; // (n,)
}

/** A step of time that is so close to a frame's counts as one. */
const jitterShare = 0.05;
/** Times denser than this many a frame are averaged, others are interpolated. */
const averageFrom = 1.5;

/** The usual step of time of some files, seconds: the median of all steps. */
export function medianStep(files: readonly Pick<CsvFile, "time">[]): number {
  const steps = files.flatMap(({ time }) => {
    const every = Math.max(1, Math.floor(time.length / 4096)); // a sample of the steps is enough
    return Array.from({ length: Math.floor((time.length - 2) / every) + 1 }, (_, i) => time[i * every + 1]! - time[i * every]!);
  });
  steps.sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)]!;
}

/** A rate for a median step: whole hertz, or one sample in whole seconds, where that is within 2 %; else to four digits. */
export function rateOfStep(seconds: number): number {
  const rate = 1 / seconds;
  const near = (value: number): number | undefined =>
    Math.round(value) > 0 && Math.abs(value / Math.round(value) - 1) <= 0.02 ? Math.round(value) : undefined;
  const [hertz, whole] = [near(rate), near(seconds)];
  return hertz ?? (whole === undefined ? Number(rate.toPrecision(4)) : 1 / whole);
}

/** Cuts a file at steps longer than `gapSeconds` and brings each part to `rateHz`; parts of one sample are left out. */
export function resample(file: Pick<CsvFile, "time" | "values" | "labels">, rateHz: number, gapSeconds: number): ResampledPart[] {
  const { time } = file;
  const parts: ResampledPart[] = [];
  for (let start = 0, i = 1; i <= time.length; i++) {
    if (i < time.length && time[i]! - time[i - 1]! <= gapSeconds) continue;
    if (i - start > 1) parts.push(resamplePart(file, start, i, rateHz));
    start = i;
  }
  return parts;
}

function resamplePart(
  { time, values, labels }: Pick<CsvFile, "time" | "values" | "labels">,
  start: number,
  end: number,
  rateHz: number,
): ResampledPart {
  const channels = values.length / time.length;
  if (isRegular(time, start, end, rateHz))
    return { values: values.slice(start * channels, end * channels), labels: labels.slice(start, end) };
  const seconds = time[end - 1]! - time[start]!;
  const n = Math.floor(seconds * rateHz + 1e-6) + 1;
  const isDense = (end - start - 1) / (seconds * rateHz) >= averageFrom;
  const out = new Float64Array(n * channels);
  const names: (string | undefined)[] = [];
  let row = start; // the last at or before the frame's time
  let first = start; // the first within the frame's half
  for (let i = 0; i < n; i++) {
    const at = time[start]! + i / rateHz;
    while (row + 1 < end && time[row + 1]! <= at + 1e-9) row++;
    while (time[first]! < at - 0.5 / rateHz - 1e-9) first++;
    let last = first;
    while (last < end && time[last]! < at + 0.5 / rateHz - 1e-9) last++;
    for (let c = 0; c < channels; c++)
      out[i * channels + c] =
        isDense && last > first
          ? meanOf(values, channels, c, first, last)
          : between(time, values, channels, c, row, Math.min(row + 1, end - 1), at);
    names.push(labels[row]);
  }
  return { values: out, labels: names };
}

/** Steps all about a frame long, and no drift of half a frame: the rows are the frames. */
function isRegular(time: Float64Array, start: number, end: number, rateHz: number): boolean {
  for (let i = start + 1; i < end; i++) {
    if (Math.abs((time[i]! - time[i - 1]!) * rateHz - 1) > jitterShare) return false;
    if (Math.abs((time[i]! - time[start]!) * rateHz - (i - start)) > 0.5) return false;
  }
  return true;
}

function meanOf(values: Float64Array, channels: number, c: number, first: number, last: number): number {
  let sum = 0;
  for (let row = first; row < last; row++) sum += values[row * channels + c]!;
  return sum / (last - first);
}

/** Linear between two rows. */
function between(time: Float64Array, values: Float64Array, channels: number, c: number, a: number, b: number, at: number): number {
  const from = values[a * channels + c]!;
  if (a === b) return from;
  const share = Math.max(0, Math.min(1, (at - time[a]!) / (time[b]! - time[a]!)));
  return from + share * (values[b * channels + c]! - from);
}
