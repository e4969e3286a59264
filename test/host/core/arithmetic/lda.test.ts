import { describe, expect, it } from "vitest";
import {
  addLda,
  applyLda,
  computeLdaLogits,
  computeLdaLogitsAtEnd,
  crossCount,
  statisticsCount,
  windowStatistics,
} from "../../../../host/core/arithmetic/lda.ts";
import type { Lda } from "../../../../host/core/image/image-types.ts";

const log2 = (value: number) => Math.floor(Math.log2(value)) * 256; // of powers of 2

/** One channel, sixteen frames. */
const statistics = (frame: (t: number) => number, knee = 0) => [
  ...windowStatistics(
    Int8Array.from({ length: 16 }, (_, t) => frame(t)),
    [knee],
  ),
];

describe("statistics of a window", () => {
  it("are as many as the shapes say", () => {
    for (const channels of [1, 2, 3, 6, 7]) {
      const window = Int8Array.from({ length: 32 * channels }, (_, i) => (i * 37) % 90);
      expect(windowStatistics(window, Array(channels).fill(0))).toHaveLength(statisticsCount(channels));
    }
    expect(statisticsCount(6)).toBe(261);
  });

  it("of a window at rest are its mean, and nothing else", () => {
    const [mean, ...rest] = statistics(() => 5);
    expect(mean).toBe(40); // Q3
    expect(rest.filter((value) => value !== 0)).toEqual([]);
  });

  it("of a square wave of two frames: its power, extremes and rhythm", () => {
    const [mean, power, highest, lowest, distance, ...lags] = statistics((t) => (t % 4 < 2 ? 16 : -16));
    expect(mean).toBe(0);
    expect(power).toBe(log2(2 ** 14)); // (16 · 8)², and the 1 is too little to see
    expect([highest, lowest]).toEqual([log2(128) + 2, log2(128) + 2]); // of 129
    expect(distance).toBe(log2(512));
    const whole = 16 * 128 ** 2;
    const repeated = (same: number, other: number) => Math.trunc(((same - other) * 128 ** 2 * 512) / (whole + 64));
    expect(lags.slice(0, 3)).toEqual([repeated(8, 7), repeated(0, 14), repeated(6, 7)]);
  });

  it("of two channels: how they move together, and which comes first", () => {
    const wave = [0, 8, 0, -8]; // four frames each; the second channel is the first one four frames later, round and round
    const window = Int8Array.from({ length: 32 }, (_, i) => wave[((i >> 3) + 3 * (i & 1)) % 4]!);
    const cross = [...windowStatistics(window, [0, 0])].slice(-crossCount(2));
    const power = 8 * 64 ** 2;
    const root = Math.floor(Math.sqrt(power + 4 * 16));
    const said = (product: number) => Math.trunc((product * 512) / root ** 2);
    expect(cross).toHaveLength(13);
    expect(cross[0]).toBe(0); // at the same time: a quarter of a period apart
    expect(cross.slice(1, 5)).toEqual([0, said(-power), said(power / 2), 0]); // each four frames before itself, the other, …
  });

  it("undo the knee", () => {
    expect(statistics(() => 70, 64)[0]).toBe((64 + 6 * 16) * 8);
    expect(statistics(() => -70, 64)[0]).toBe(-(64 + 6 * 16) * 8);
  });

  it("of sway: how far means of eight frames move", () => {
    const all = statistics((t) => (t < 8 ? 1 : 2));
    expect(all.slice(8, 11)).toEqual([log2(32) + 8, log2(32) + 8, log2(1024)]); // the sums 8 and 16: 33, 33 and 1 + 32²
  });
});

describe("lda", () => {
  const n = statisticsCount(1);
  const lda: Lda = {
    means: new Int32Array(n).fill(0),
    limits: new Int32Array(n).fill(100),
    weights: Int16Array.from({ length: 2 * n }, (_, at) => (at === 0 ? 3 : at === 1 ? -3 : 0)), // of the mean alone
    bias: Int32Array.of(2, -70_000_000),
    shift: 2,
  };
  const image = {
    lda,
    windowPatches: 4,
    patchFrames: 4,
    channels: 1,
    features: [{ zeroPoint: 0, multiplier: 0, shift: 0, knee: 0 }],
  };

  it("weighs statistics within their limits, rounds half up and stays within s16", () => {
    const at = (mean: number) => [...applyLda(lda, Int32Array.of(mean, ...Array(n - 1).fill(0)))];
    expect(at(8)).toEqual([7, -32768]); // (24 + 2 + 2) >> 2
    expect(at(5000)).toEqual(at(100));
    expect(at(-5000)[0]).toBe(-74); // (−300 + 2 + 2) >> 2
  });

  it("reads the last whole window, and is silent before there is one", () => {
    const patches = Int8Array.from({ length: 24 }, (_, t) => (t < 8 ? 99 : 1));
    expect(computeLdaLogitsAtEnd(image, patches)?.[0]).toBe(7);
    expect(computeLdaLogitsAtEnd(image, patches.subarray(0, 12))).toBeUndefined();
    expect(computeLdaLogitsAtEnd({ ...image, lda: undefined } as never, patches)).toBeUndefined();
  });

  it("is silent where a whole triad has not moved", () => {
    const n = statisticsCount(6);
    const heard = { means: new Int32Array(n), limits: new Int32Array(n), weights: new Int16Array(n), bias: Int32Array.of(5), shift: 0 };
    const window = (moving: readonly number[]) =>
      Int8Array.from({ length: 96 }, (_, at) => (moving.includes(at % 6) && at > 48 ? 9 : at % 6));
    const said = (...moving: number[]) => computeLdaLogits(heard, window(moving), Array(6).fill(0))[0];
    expect(said(0, 5)).toBe(5);
    expect(said(2)).toBe(0);
    expect(said(3, 4, 5)).toBe(0);
    expect(said()).toBe(0);
  });

  it("adds to logits within s16", () => {
    expect([...addLda(Int16Array.of(-32000, 5), Int16Array.of(-1000, 7))]).toEqual([-32768, 12]);
    expect([...addLda(Int16Array.of(1), undefined)]).toEqual([1]);
  });
});
