import { expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { createRandom } from "../../../host/core/system/random.ts";
import type { Recording } from "../../../host/data/recording.ts";
import { type Augmentation, drawDisturbance, drawPace, dropSensors, noAugmentation, rotateFrame } from "../../../host/train/augment.ts";
import { makeBatch, quantizeFrames } from "../../../host/train/batches.ts";
import { INPUT_SCALE } from "../../../host/train/net-constants.ts";

const features = { stepCounts: [32, 32, 32, 2, 2, 2], zeroPointCounts: [1638, 0, 0, 0, 0, 0] };
const CHANNELS = 6;

/** (n, 6) counts: a still phone, upright, turning a little. */
function still(n: number): Float64Array {
  return Float64Array.from({ length: n * CHANNELS }, (_, i) => [2048, 100, -300, 16 + Math.floor(i / CHANNELS), -8, 4][i % CHANNELS]!);
}

/** The int8 input of frames under one draw of a disturbance. */
function input(frames: Float64Array, augmentation: Partial<Augmentation>, seed = 1): number[] {
  const random = createRandom(seed);
  const disturbance = drawDisturbance(CHANNELS, { ...noAugmentation, ...augmentation }, random);
  const out = new Float32Array(frames.length);
  quantizeFrames(frames, 0, out, features, { ...disturbance, random });
  return [...out].map((value) => Math.round(value / INPUT_SCALE));
}

function spread(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

it("leaves frames as they are when nothing is to be disturbed", () => {
  const out = new Float32Array(64 * CHANNELS);
  quantizeFrames(still(64), 0, out, features);
  expect(input(still(64), {})).toEqual([...out].map((value) => Math.round(value / INPUT_SCALE)));
  const frames = still(64);
  dropSensors(frames, CHANNELS, noAugmentation, createRandom(1));
  expect(frames).toEqual(still(64));
});

it("adds noise and a gyroscope's drift of the deviation that is asked for, in units of the net's input", () => {
  const flat = new Float64Array(4000 * CHANNELS);
  for (let i = 0; i < flat.length; i += CHANNELS) flat[i] = 1638;
  const noisy = input(flat, { noise: 10 * INPUT_SCALE });
  expect(spread(noisy)).toBeCloseTo(10, 0);
  const drifts = Array.from({ length: 400 }, (_, seed) => input(flat.subarray(0, CHANNELS), { gyroOffset: 10 * INPUT_SCALE }, seed));
  expect(drifts.every(([x, y, z]) => x === 0 && y === 0 && z === 0)).toBe(true);
  expect(spread(drifts.map((frame) => frame[4]!))).toBeGreaterThan(8);
  expect(spread(drifts.map((frame) => frame[4]!))).toBeLessThan(12);
});

it("silences the gyroscope alone", () => {
  const frames = still(64);
  dropSensors(frames, CHANNELS, { ...noAugmentation, gyroDropout: 1 }, createRandom(1));
  expect([...frames]).toEqual([...still(64)].map((value, i) => (i % CHANNELS < 3 ? value : 0)));
});

it("sticks one accelerometer axis at its first value, and each of the three in turn", () => {
  const moving = (seed: number): number[] => {
    const frames = Float64Array.from({ length: 64 * CHANNELS }, (_, i) => i);
    dropSensors(frames, CHANNELS, { ...noAugmentation, axisDropout: 1 }, createRandom(seed));
    return [0, 1, 2].filter((c) => frames[63 * CHANNELS + c] === c);
  };
  const stuck = Array.from({ length: 30 }, (_, seed) => moving(seed));
  expect(stuck.every((axes) => axes.length === 1)).toBe(true);
  expect(new Set(stuck.flat())).toEqual(new Set([0, 1, 2]));
});

it("keeps the length of both triads in a rotation", () => {
  for (let seed = 0; seed < 20; seed++) {
    const { rotation } = drawDisturbance(CHANNELS, { ...noAugmentation, rotationRadians: [0.1, 0.2, 0.3] }, createRandom(seed));
    const frame = still(1);
    rotateFrame(frame, rotation!);
    expect(Math.hypot(frame[0]!, frame[1]!, frame[2]!)).toBeCloseTo(Math.hypot(2048, 100, 300), 6);
    expect(Math.hypot(frame[3]!, frame[4]!, frame[5]!)).toBeCloseTo(Math.hypot(16, 8, 4), 9);
    expect(frame[1]).not.toBe(100);
  }
});

it("draws paces around 1, within their bounds", () => {
  const random = createRandom(3);
  const paces = Array.from({ length: 2000 }, () => drawPace({ ...noAugmentation, pace: 0.2 }, random));
  expect(Math.min(...paces)).toBe(0.8);
  expect(Math.max(...paces)).toBe(1.25);
  expect(paces.filter((pace) => pace > 1).length).toBeGreaterThan(800);
  expect(drawPace(noAugmentation, random)).toBe(1);
});

it("plays a sequence faster or slower with its last frame and its label in place, and turns at the new pace", () => {
  const n = 600;
  const recording: Recording = {
    ...{ name: "ramp", subject: "1", channels: 6, segments: [] },
    frames: Int16Array.from({ length: n * 6 }, (_, i) => (i % 6 === 1 ? 32 * Math.floor(i / 6) - 32 * 400 : i % 6 === 4 ? 40 : 0)),
    labels: Uint8Array.from({ length: n }, (_, i) => (i < 400 ? 1 : 2)),
  };
  const options = {
    ...{ config: activityTraining.config, features, labelSmoothing: 0, classOf: (label: number) => label - 1, resetProbability: 0 },
    weightAt: (patch: number) => (patch === 31 ? 1 : 0),
    augmentation: { ...noAugmentation, pace: 0.2 },
  };
  const paces = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const batch = makeBatch([{ recording, start: 280 }], 32, createRandom(seed), options);
    const value = (frame: number, channel: number): number => Math.round(batch.patches[frame * 6 + channel]! / INPUT_SCALE);
    expect(value(127, 1)).toBe(7); // frame 407 of the recording: 7 steps past the one labelled first
    expect(batch.target.subarray(31 * 7, 32 * 7)[1]).toBe(1);
    const pace = (value(127, 1) - value(27, 1)) / 100;
    expect(Math.abs(value(60, 4) - 20 * pace)).toBeLessThan(1); // 40 counts = 20 steps at the recorded pace
    paces.add(Math.round(pace * 20));
  }
  expect(paces.size).toBeGreaterThan(3);
});
