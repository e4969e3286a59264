import { describe, expect, it } from "vitest";
import { gainsOverSeeds } from "../../../../host/cli/eval/adapt-runs.ts";
import { createRandom } from "../../../../host/core/system/random.ts";

const seedOf = (seed: number, gains: Record<string, number>) => {
  const wearers = Object.entries(gains).map(([user, gain]) => ({
    user,
    gain,
    before: { accuracy: 0.8 + seed / 100, answered: 1, wrong: 0 },
  }));
  return { seed, wearers, meanGain: wearers.reduce((sum, { gain }) => sum + gain, 0) / wearers.length };
};

describe("adaptation over seeds", () => {
  it("means each wearer's gains over the seeds, and draws wearers, not seeds", () => {
    const runs = [seedOf(1, { a: 0.02, b: -0.03 }), seedOf(2, { a: 0.04, b: 0.01 })];
    const { meanGain, interval, worst, worstOfSeeds, wearers } = gainsOverSeeds(runs, createRandom(1));
    expect(meanGain).toEqual({ mean: expect.closeTo(0.01, 12), sd: expect.closeTo(0.03 / Math.SQRT2, 12) });
    expect(wearers).toEqual([
      { user: "a", beforeAccuracy: expect.closeTo(0.815, 12), gain: expect.closeTo(0.03, 12), gains: [0.02, 0.04] },
      { user: "b", beforeAccuracy: expect.closeTo(0.815, 12), gain: expect.closeTo(-0.01, 12), gains: [-0.03, 0.01] },
    ]);
    expect([interval.low, interval.high]).toEqual([expect.closeTo(-0.01, 12), expect.closeTo(0.03, 12)]);
    expect(worst).toEqual({ user: "b", gain: expect.closeTo(-0.01, 12) });
    expect(worstOfSeeds).toEqual({ seed: 1, user: "b", gain: -0.03 });
  });

  it("has no deviation of a single seed", () => {
    expect(gainsOverSeeds([seedOf(3, { a: 0 })], createRandom(1)).meanGain).toEqual({ mean: 0, sd: null });
  });
});
