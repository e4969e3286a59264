import { describe, expect, it } from "vitest";
import { createRandom } from "../../../host/core/system/random.ts";
import { gainsOverSeeds, type UserGain } from "../../../host/simulate/adapt.ts";

const reportOf = (gains: Record<string, number>) => {
  const users = Object.entries(gains).map(([user, gain]) => ({ user, gain }) as UserGain);
  return { users, meanGain: users.reduce((sum, { gain }) => sum + gain, 0) / users.length };
};

describe("personalisation over seeds", () => {
  it("averages each user's gains over the seeds, and draws users, not seeds", () => {
    const reports = [reportOf({ a: 0.02, b: -0.03 }), reportOf({ a: 0.04, b: 0.01 })];
    const { meanGain, interval, worst, users } = gainsOverSeeds(reports, createRandom(1));
    expect(meanGain).toEqual({ mean: expect.closeTo(0.01, 12), sd: expect.closeTo(0.03 / Math.SQRT2, 12) });
    expect(users).toEqual([
      { user: "a", gain: expect.closeTo(0.03, 12), gains: [0.02, 0.04] },
      { user: "b", gain: expect.closeTo(-0.01, 12), gains: [-0.03, 0.01] },
    ]);
    expect([interval.low, interval.high]).toEqual([expect.closeTo(-0.01, 12), expect.closeTo(0.03, 12)]);
    expect(worst).toEqual({ user: "b", gain: expect.closeTo(-0.01, 12) });
  });

  it("has no deviation of a single seed", () => {
    expect(gainsOverSeeds([reportOf({ a: 0 })], createRandom(1)).meanGain).toEqual({ mean: 0, sd: null });
  });
});
