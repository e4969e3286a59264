import { expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { createRandom } from "../../../host/agent/random.ts";
import type { Recording } from "../../../host/agent/recording.ts";
import { type Augmentation, augment, drawPace, noAugmentation } from "../../../host/train/augment.ts";
import { makeBatch } from "../../../host/train/batches.ts";
import { INPUT_SCALE } from "../../../host/train/net-config.ts";

const features = { stepCounts: [32, 32, 32, 2, 2, 2], zeroPointCounts: [1638, 0, 0, 0, 0, 0] };

/** (n, 6) counts: a still phone, upright, turning a little. */
function still(n: number): Float32Array {
  return Float32Array.from({ length: n * 6 }, (_, i) => [2048, 100, -300, 16 + Math.floor(i / 6), -8, 4][i % 6]!);
}

function augmented(augmentation: Partial<Augmentation>, seed = 1): Float32Array {
  const frames = still(64);
  augment(frames, features, { ...noAugmentation, ...augmentation }, createRandom(seed));
  return frames;
}

it("leaves frames as they are when nothing is to be disturbed", () => {
  expect(augmented({})).toEqual(still(64));
});

it("silences the gyroscope alone", () => {
  const frames = augmented({ gyroDropout: 1 });
  expect([...frames]).toEqual([...still(64)].map((value, i) => (i % 6 < 3 ? value : 0)));
});

it("sticks one accelerometer axis at its first value, and each of the three in turn", () => {
  const moving = (seed: number): number[] => {
    const frames = Float32Array.from({ length: 64 * 6 }, (_, i) => i);
    augment(frames, features, { ...noAugmentation, axisDropout: 1 }, createRandom(seed));
    return [0, 1, 2].filter((c) => frames[63 * 6 + c] === c);
  };
  const stuck = Array.from({ length: 30 }, (_, seed) => moving(seed));
  expect(stuck.every((axes) => axes.length === 1)).toBe(true);
  expect(new Set(stuck.flat())).toEqual(new Set([0, 1, 2]));
});

it("keeps the length of both triads in a rotation", () => {
  for (let seed = 0; seed < 20; seed++) {
    const frames = augmented({ rotationRadians: [0.1, 0.2, 0.3] }, seed);
    expect(Math.hypot(frames[0]!, frames[1]!, frames[2]!)).toBeCloseTo(Math.hypot(2048, 100, 300), 1);
    expect(Math.hypot(frames[3]!, frames[4]!, frames[5]!)).toBeCloseTo(Math.hypot(16, 8, 4), 3);
    expect(frames[1]).not.toBe(100);
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
