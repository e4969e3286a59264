import type { Motion } from "./motion.ts";

/** Frames per second that the statistics are defined for. */
export const STATISTICS_RATE_HZ = 50;
/** Edges of the six stretches, in seconds from the suspicion; the last one ends with the context. */
const STRETCHES = [-8, -4, -2, -1, -0.25, 0.5] as const;
/** Where the impact is looked for, in seconds from the suspicion. */
const IMPACT = { from: -1.5, to: 1 };
const FREE_FALL_G = 0.6;
const HARD_G = 1.8;
/** A second in which |a| varies by less, in g, is without movement. */
const MOVING_G = 0.5;

/**
 * Statistics of a context that ends `afterFrames` after a suspicion: 22 of each of six stretches around it, and of the impact (its peak,
 * the free fall before it, the turn of the trunk across it, the stillness after it). A context shorter than 8 s lacks the first
 * stretches: they repeat its first frame.
 */
export function contextStatistics(motion: Motion, afterFrames: number): Float64Array {
  const suspicion = motion.frames - afterFrames;
  const at = (seconds: number): number => suspicion + Math.round(seconds * STATISTICS_RATE_HZ);
  const values: number[] = [];
  STRETCHES.forEach((from, k) => {
    const next = STRETCHES[k + 1];
    values.push(...stretchStatistics(motion, span(motion, at(from), next === undefined ? motion.frames : at(next))));
  });
  values.push(...impactStatistics(motion, suspicion, span(motion, at(IMPACT.from), at(IMPACT.to))));
  return Float64Array.from(values, (value) => (Number.isFinite(value) ? value : 0));
}

/** True where the second before frame `end` has movement. */
export function isMoving({ acceleration }: Motion, end: number): boolean {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = Math.max(0, end - STATISTICS_RATE_HZ); i < end; i++) {
    low = Math.min(low, acceleration[i]!);
    high = Math.max(high, acceleration[i]!);
  }
  return high - low >= MOVING_G;
}

/** How many statistics a context has. */
export const STATISTICS = 6 * 22 + 51;

/** Frames from ≤ i < to; at least one. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function span({ frames }: Motion, from: number, to: number): Span {
  const first = Math.max(0, Math.min(frames - 1, from));
  return { from: first, to: Math.max(first + 1, Math.min(frames, to)) };
}

function stretchStatistics({ channels, acceleration, rotation }: Motion, own: Span): number[] {
  const axes = channels.slice(0, 3);
  const turns = channels.slice(3);
  const jerk = jerks(axes, own);
  return [
    ...axes.map((axis) => mean(axis, own)),
    ...axes.map((axis) => deviation(axis, own)),
    ...[mean(acceleration, own), deviation(acceleration, own), highest(acceleration, own), lowest(acceleration, own)],
    ...[mean(rotation, own), highest(rotation, own)],
    ...turns.map((turn) => Math.hypot(mean(turn, own), deviation(turn, own))),
    ...turns.map((turn) => mean(turn, own)),
    ...[jerk.mean, jerk.highest],
    ...[share(acceleration, own, (a) => a < FREE_FALL_G), share(acceleration, own, (a) => a > HARD_G)],
  ];
}

function impactStatistics(motion: Motion, suspicion: number, search: Span): number[] {
  const { frames, channels, acceleration, rotation } = motion;
  const axes = channels.slice(0, 3);
  const turns = channels.slice(3);
  const peak = indexOfHighest(acceleration, search);
  const near = (from: number, to: number): Span => span(motion, peak + from, peak + to);
  const before = near(-75, 0);
  const low = indexOfLowest(acceleration, near(-50, 1));
  const end = (count: number): Span => span(motion, frames - count, frames);
  const posture = { early: axes.map((axis) => mean(axis, near(-150, -50))), late: axes.map((axis) => mean(axis, end(40))) };
  const turned = turns.map((turn) => sum(turn, near(-50, 25)) / STATISTICS_RATE_HZ);
  const after = span(motion, peak + 20, frames);
  const whole = span(motion, 0, frames);
  const jerk = jerks(axes, near(-10, 15));
  const second = Math.max(highest(acceleration, near(-60, -15)), 0);
  return [
    ...[acceleration[peak]!, (peak - suspicion) / STATISTICS_RATE_HZ, ...axes.map((axis) => axis[peak]!)],
    ...[highest(rotation, near(-25, 25)), mean(rotation, near(-25, 25)), highest(rotation, before)],
    ...[acceleration[low]!, (peak - low) / STATISTICS_RATE_HZ, share(acceleration, before, (a) => a < FREE_FALL_G)],
    ...[share(acceleration, near(-25, 0), (a) => a < 0.8), lowest(acceleration, near(-25, 25))],
    ...posture.early,
    ...posture.late,
    ...[angle(posture.early, posture.late), angle(posture.early, [1, 0, 0]), angle(posture.late, [1, 0, 0])],
    ...posture.late.map((value, axis) => value - posture.early[axis]!),
    ...[deviation(acceleration, end(30)), deviation(acceleration, end(50)), mean(rotation, end(30)), mean(rotation, end(50))],
    ...axes.map((axis) => deviation(axis, end(40))),
    ...[...turned, Math.hypot(...turned)],
    ...[second, highest(acceleration, after), deviation(acceleration, after), mean(rotation, after), highest(rotation, after)],
    ...[share(acceleration, whole, (a) => a > 1.5), share(acceleration, whole, (a) => a > 2.5), highest(acceleration, whole)],
    ...[sum(acceleration, near(-50, 0)) / STATISTICS_RATE_HZ, deviation(acceleration, near(-200, -50)), mean(rotation, near(-200, -50))],
    ...[jerk.mean, jerk.highest, share(acceleration, near(-15, 16), (a) => a > HARD_G)],
    acceleration[peak]! - highest(acceleration, near(-250, -50)),
  ];
}

function sum(values: Float64Array, { from, to }: Span): number {
  let total = 0;
  for (let i = from; i < to; i++) total += values[i]!;
  return total;
}

function mean(values: Float64Array, own: Span): number {
  return sum(values, own) / (own.to - own.from);
}

function deviation(values: Float64Array, own: Span): number {
  const centre = mean(values, own);
  let total = 0;
  for (let i = own.from; i < own.to; i++) total += (values[i]! - centre) ** 2;
  return Math.sqrt(total / (own.to - own.from));
}

function indexOfHighest(values: Float64Array, { from, to }: Span): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

function indexOfLowest(values: Float64Array, { from, to }: Span): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (values[i]! < values[best]!) best = i;
  return best;
}

function highest(values: Float64Array, own: Span): number {
  return values[indexOfHighest(values, own)]!;
}

function lowest(values: Float64Array, own: Span): number {
  return values[indexOfLowest(values, own)]!;
}

function share(values: Float64Array, { from, to }: Span, holds: (value: number) => boolean): number {
  let count = 0;
  for (let i = from; i < to; i++) if (holds(values[i]!)) count++;
  return count / (to - from);
}

/** Change of the acceleration from frame to frame, in g. */
function jerks(axes: readonly Float64Array[], { from, to }: Span): { mean: number; highest: number } {
  let total = 0;
  let most = 0;
  for (let i = from + 1; i < to; i++) {
    const jerk = Math.hypot(...axes.map((axis) => axis[i]! - axis[i - 1]!));
    total += jerk;
    most = Math.max(most, jerk);
  }
  return { mean: total / Math.max(1, to - from - 1), highest: most };
}

/** Angle between two directions, in radians. */
function angle(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((total, value, axis) => total + value * b[axis]!, 0);
  return Math.acos(Math.max(-1, Math.min(1, dot / (Math.hypot(...a) * Math.hypot(...b)))));
}
