/** A linear axis. `low` is drawn at the left or bottom end, also when it is the larger value. */
export interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly text: (value: number) => string;
}

/** An axis without ticks, for lanes and rows: row 0 is at the top when `low` > `high`. */
export function bareAxis(low: number, high: number): Axis {
  return { label: "", low, high, ticks: [], text: String };
}

/** About `count` round numbers (1, 2 or 5 times a power of ten apart) that cover low…high, ends included. */
export function roundTicks(low: number, high: number, count = 5): number[] {
  const span = high > low ? high - low : Math.max(1e-9, Math.abs(low));
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw * 0.999) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil((low + span) / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** An axis over the values with round ends; `least` is a value that it includes in any case. */
export function axisOver(values: readonly number[], label: string, text: (value: number) => string, least?: number): Axis {
  const low = values.reduce((a, b) => Math.min(a, b), least ?? Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const ticks = roundTicks(Number.isFinite(low) ? low : 0, values.length === 0 ? 1 : high);
  return { label, text, ticks, low: ticks[0]!, high: ticks.at(-1)! };
}

/** An axis of shares up to 1, in per cent. It starts at the multiple of ten per cent below `low`. */
export function shareAxis(label: string, low = 0): Axis {
  const from = Math.max(0, Math.min(0.9, Math.floor(low * 10) / 10));
  return { label, low: from, high: 1, ticks: roundTicks(from, 1), text: (value) => `${Number((100 * value).toFixed(1))} %` };
}

/** Steps between ticks of a time axis, hours. */
const HOUR_STEPS = [0.25, 0.5, 1, 3, 6, 12, 24, 48, 168] as const;
const MOST_HOUR_TICKS = 9;

/** Clock time from midnight on, in hours: 00:00, 03:00, … Runs longer than two days count days. */
export function clockAxis(hours: number): Axis {
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = (hour: number): string => `${two(Math.floor(hour))}:${two(Math.round((hour % 1) * 60))}`;
  return timeAxis(hours, hours > 48 ? (hour) => `day ${hour / 24}` : clock);
}

/** Elapsed time in hours: 0 h, 1 h, … */
export function elapsedAxis(hours: number): Axis {
  return timeAxis(hours, (hour) => `${Number(hour.toFixed(2))} h`);
}

function timeAxis(hours: number, text: (hour: number) => string): Axis {
  const least = hours > 48 ? 24 : 0;
  const step = HOUR_STEPS.find((one) => one >= least && hours / one < MOST_HOUR_TICKS) ?? 24 * Math.ceil(hours / 24 / MOST_HOUR_TICKS);
  const ticks = Array.from({ length: Math.floor(hours / step) + 1 }, (_, i) => i * step);
  return { label: "", low: 0, high: hours, ticks, text };
}

/** A count with an SI prefix, for an axis: 0, 812 k, 1.2 M. */
export function siText(value: number): string {
  if (value === 0) return "0";
  return value >= 1e6 ? `${Number((value / 1e6).toFixed(2))} M` : `${Math.round(value / 1000)} k`;
}

/** A count in at most four characters, for a narrow bar: 812, 1.2k, 34k. */
export function shortCountText(count: number): string {
  if (count < 1000) return String(count);
  return count < 9950 ? `${(count / 1000).toFixed(1)}k` : `${Math.round(count / 1000)}k`;
}
