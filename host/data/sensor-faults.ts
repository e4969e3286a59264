import { crc32 } from "../core/arithmetic/crc32.ts";
import { DataError } from "../core/system/errors.ts";
import { createRandom, type Random } from "../core/system/random.ts";
import type { SensedRecording } from "./recording.ts";

/** What goes wrong with a sensor, as a test condition: four that happen, and five that are wired or configured wrong. */
export const faultNames = [
  ...(["rotate20", "stuck-axis", "lost-frames", "no-gyro"] as const),
  ...(["rotate90", "accel-ms2", "gyro-rads", "permuted-axes", "swapped-bytes"] as const),
] as const;
export type FaultName = (typeof faultNames)[number];

/** Seed of the faults that are measured: the same fault in each run. */
export const FAULT_SEED = 1;

/** Values of an IMU frame: ax ay az gx gy gz. */
const channels = 6;
const axes = 3;
const rotationRadians = (20 * Math.PI) / 180;
const metresPerSecondSquared = 9.80665; // of 1 g
/** Orders of three axes but the right one. */
const orders = [
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;
const lostShare = 0.1;
/** Frames of a gap, uniform 1…12: two in three are short enough to be held (gapLimitFrames 8), one in three resets the state. */
const longestGapFrames = 12;

/**
 * Recordings as a faulty sensor would have given them. Each draws from its name and `seed`, so its fault is the same in any list. The
 * originals stay. Throws FAULT_CHANNELS unless frames are those of an IMU.
 */
export function withFault(recordings: readonly SensedRecording[], fault: FaultName, seed: number): SensedRecording[] {
  return recordings.map((recording) => {
    if (recording.channels !== channels)
      throw new DataError(
        "FAULT_CHANNELS",
        `recording ${recording.name} has ${recording.channels} channels; faults are those of an IMU with ${channels} (ax ay az gx gy gz). Choose an agent with one.`,
      );
    return faulty(recording, fault, createRandom(crc32(new TextEncoder().encode(recording.name)) ^ seed));
  });
}

function faulty(recording: SensedRecording, fault: FaultName, random: Random): SensedRecording {
  const { frames } = recording;
  switch (fault) {
    case "rotate20":
      return { ...recording, frames: rotated(frames, rotation(randomAxis(random), rotationRadians)) };
    case "stuck-axis":
      return { ...recording, frames: stuck(frames, random.integer(axes)) };
    case "no-gyro":
      return { ...recording, frames: frames.map((value, i) => (i % channels < axes ? value : 0)) };
    case "rotate90": {
      const [axis, direction] = [random.integer(axes), random.integer(2) === 0 ? 1 : -1];
      const unit = [0, 1, 2].map((i) => (i === axis ? direction : 0)) as [number, number, number];
      return { ...recording, frames: rotated(frames, rotation(unit, Math.PI / 2)) };
    }
    case "accel-ms2":
      return { ...recording, frames: frames.map((value, i) => (i % channels < axes ? toCounts(value * metresPerSecondSquared) : value)) };
    case "gyro-rads":
      return { ...recording, frames: frames.map((value, i) => (i % channels < axes ? value : toCounts((value * Math.PI) / 180))) };
    case "permuted-axes": {
      const order = orders[random.integer(orders.length)]!;
      return { ...recording, frames: frames.map((_, i) => frames[i - (i % axes) + order[i % axes]!]!) };
    }
    case "swapped-bytes":
      return { ...recording, frames: frames.map((value) => (value << 8) | ((value >> 8) & 255)) };
    case "lost-frames":
      return { ...recording, lost: lostFrames(frames.length / channels, random) };
  }
}

/** Accelerometer and gyroscope (n, 6) turned by one rotation matrix (3, 3), row-major; half up, clamped to int16. */
export function rotated(frames: Int16Array, matrix: readonly number[]): Int16Array {
  const out = new Int16Array(frames.length);
  for (let at = 0; at < frames.length; at += axes)
    for (let row = 0; row < axes; row++) {
      let sum = 0;
      for (let column = 0; column < axes; column++) sum += matrix[row * axes + column]! * frames[at + column]!;
      out[at + row] = toCounts(sum);
    }
  return out;
}

/** Half up, clamped to int16. */
function toCounts(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.floor(value + 0.5)));
}

/** Rotation matrix (3, 3), row-major, by `radians` about a unit axis. Source: Rodrigues' formula. */
export function rotation([x, y, z]: readonly [number, number, number], radians: number): number[] {
  const c = Math.cos(radians);
  const s = Math.sin(radians);
  const d = 1 - c;
  return [
    ...[c + x * x * d, x * y * d - z * s, x * z * d + y * s],
    ...[y * x * d + z * s, c + y * y * d, y * z * d - x * s],
    ...[z * x * d - y * s, z * y * d + x * s, c + z * z * d],
  ];
}

/** Uniform on the sphere: three normals, scaled to length 1. */
function randomAxis(random: Random): [number, number, number] {
  const [x, y, z] = [random.normal(), random.normal(), random.normal()];
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

/** One accelerometer axis keeps its first value. */
export function stuck(frames: Int16Array, axis: number): Int16Array {
  return frames.map((value, i) => (i % channels === axis ? frames[axis]! : value));
}

/** (n,) 1 = lost: gaps of 1…longestGapFrames frames between good runs, both uniform, so that about a tenth is lost. The first frame is good. */
export function lostFrames(n: number, random: Random): Uint8Array {
  const lost = new Uint8Array(n);
  const meanGap = (1 + longestGapFrames) / 2;
  const meanRun = (meanGap * (1 - lostShare)) / lostShare;
  for (let at = 0; at < n; ) {
    const good = 1 + random.integer(Math.round(2 * meanRun) - 1); // mean meanRun
    const gap = 1 + random.integer(longestGapFrames);
    lost.fill(1, Math.min(n, at + good), Math.min(n, at + good + gap));
    at += good + gap;
  }
  return lost;
}
