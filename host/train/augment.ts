import type { Random } from "../core/system/random.ts";
import { INPUT_SCALE } from "./net-constants.ts";

/** Channels of one triad: an accelerometer's or a gyroscope's axes. */
const TRIAD = 3;

/** How training disturbs a sequence, so that a net meets more placements, paces and faults than were recorded. Deviations are of normal draws, one a sequence. */
export interface Augmentation {
  readonly channelScale: number; // deviation of a factor around 1, a channel
  readonly noise: number; // deviation a value, in units of the net's input
  readonly gyroOffset: number; // deviation of a constant added to each channel but the first three, in units of the net's input: a gyroscope's zero drifts
  readonly rotationRadians: readonly [x: number, y: number, z: number]; // deviations of rotations of every triad of channels about each axis; all 0 = none
  readonly pace: number; // deviation of a factor of time around 1: gaits faster and slower (Um et al. 2017, arXiv 1706.00527)
  readonly gyroDropout: number; // share of sequences whose channels but the first three read 0
  readonly axisDropout: number; // share of sequences with one of the first three channels stuck at its first value
}

/** Nothing is disturbed. */
export const noAugmentation: Augmentation = {
  channelScale: 0,
  noise: 0,
  gyroOffset: 0,
  rotationRadians: [0, 0, 0],
  pace: 0,
  gyroDropout: 0,
  axisDropout: 0,
};

/** A factor of time for one sequence, 0.8 … 1.25. */
export function drawPace({ pace }: Augmentation, random: Random): number {
  return pace === 0 ? 1 : Math.max(0.8, Math.min(1.25, Math.exp(pace * random.normal())));
}

/** A draw of what disturbs the frames of one sequence, in steps of the net's input. */
export interface Disturbance {
  readonly factor: readonly number[]; // a channel, about its zero point
  readonly rotation: Float64Array | undefined;
  readonly offset: readonly number[]; // a channel, in steps
  readonly noise: number; // deviation a value, in steps
}

/** Draws the disturbance of one sequence. */
export function drawDisturbance(channels: number, augmentation: Augmentation, random: Random): Disturbance {
  const { channelScale, rotationRadians, gyroOffset, noise } = augmentation;
  const each = <T>(draw: (c: number) => T): T[] => Array.from({ length: channels }, (_, c) => draw(c));
  const factor = each(() => 1 + channelScale * random.normal());
  const rotation = rotationRadians.some((deviation) => deviation > 0) ? randomRotation(rotationRadians, random) : undefined;
  const offset = each((c) => (c >= TRIAD ? gyroOffset * random.normal() : 0) / INPUT_SCALE);
  return { factor, rotation, offset, noise: noise / INPUT_SCALE };
}

/** Faults of a sensor, in its own frame: frames (n, channels) of counts, in place. */
export function dropSensors(frames: Float64Array, channels: number, { gyroDropout, axisDropout }: Augmentation, random: Random): void {
  if (gyroDropout > 0 && random.uniform() < gyroDropout)
    for (let at = 0; at < frames.length; at += channels) frames.fill(0, at + TRIAD, at + channels);
  if (axisDropout > 0 && random.uniform() < axisDropout) {
    const axis = random.integer(TRIAD);
    for (let at = channels; at < frames.length; at += channels) frames[at + axis] = frames[axis]!;
  }
}

/** Turns every triad of a frame. */
export function rotateFrame(frame: Float64Array, rotation: Float64Array): void {
  for (let at = 0; at < frame.length; at += TRIAD) rotate(frame, at, rotation);
}

/** Rotation matrix (3, 3), row-major, of three normal angles, about x, then y, then z. */
function randomRotation(deviations: readonly [number, number, number], random: Random): Float64Array {
  const [a, b, c] = deviations.map((deviation) => deviation * random.normal()) as [number, number, number];
  const [ca, sa, cb, sb, cc, sc] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b), Math.cos(c), Math.sin(c)];
  return Float64Array.of(
    cb * cc,
    sa * sb * cc - ca * sc,
    ca * sb * cc + sa * sc,
    cb * sc,
    sa * sb * sc + ca * cc,
    ca * sb * sc - sa * cc,
    -sb,
    sa * cb,
    ca * cb,
  );
}

function rotate(frames: Float64Array, at: number, r: Float64Array): void {
  const [x, y, z] = [frames[at]!, frames[at + 1]!, frames[at + 2]!];
  for (let row = 0; row < TRIAD; row++) frames[at + row] = r[row * 3]! * x + r[row * 3 + 1]! * y + r[row * 3 + 2]! * z;
}
