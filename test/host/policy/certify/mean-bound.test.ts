import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lowerMeanBound } from "../../../../host/policy/certify/mean-bound.ts";

describe("the lower bound of a mean over wearers", () => {
  it("is Student's, worked out by hand for four wearers", () => {
    expect(lowerMeanBound([0.1, 0.2, 0.3, 0.4])).toBeCloseTo(0.25 - (2.353 * Math.sqrt(0.05 / 3)) / 2, 9); // mean 0.25, squares 0.05
    expect(lowerMeanBound([0.2, 0.2])).toBeCloseTo(0.2, 12);
    expect([lowerMeanBound([]), lowerMeanBound([0.9]), lowerMeanBound([-1, 1])]).toEqual([-1, -1, -1]);
  });

  it("lies above the true mean in about 5 % of draws, for 4 and for 40 wearers", () => {
    let state = 1;
    const uniform = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state + 1) / 2 ** 32;
    };
    const normal = () => 0.1 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    for (const wearers of [4, 40]) {
      const draws = Array.from({ length: 4000 }, () => lowerMeanBound(Array.from({ length: wearers }, normal)) > 0);
      const share = draws.filter(Boolean).length / draws.length;
      expect(share).toBeGreaterThan(0.035);
      expect(share).toBeLessThan(0.065);
    }
  });

  it("is never above the mean", () => {
    const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(fc.property(values, (some) => lowerMeanBound(some) <= some.reduce((a, b) => a + b, 0) / some.length + 1e-12));
  });
});
