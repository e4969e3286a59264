import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../host/core/system/random.ts";
import { bootstrapInterval } from "../../../../host/policy/certify/bootstrap.ts";

describe("the bootstrap over wearers", () => {
  it("is a point where all wearers are alike", () => {
    const clusters = Array.from({ length: 9 }, () => ({ sum: 2, weight: 100 }));
    const { low, high } = bootstrapInterval(clusters, { random: createRandom(1) });
    expect([low, high]).toEqual([0.02, 0.02]);
  });

  it("draws wearers, not windows: one bad wearer widens it far beyond a binomial interval", () => {
    const clusters = [...Array.from({ length: 8 }, () => ({ sum: 0, weight: 300 })), { sum: 90, weight: 300 }];
    const { low, high, draws } = bootstrapInterval(clusters, { random: createRandom(1) });
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(0.09); // the exact binomial interval of 90 in 2,700 ends at 0.041
    expect(draws).toBe(2000);
  });

  it("covers the mean of many wearers about as often as it says", () => {
    const random = createRandom(4);
    const covered = Array.from({ length: 300 }, () => {
      const clusters = Array.from({ length: 25 }, () => ({ sum: random.normal(), weight: 1 }));
      const { low, high } = bootstrapInterval(clusters, { random, draws: 400 });
      return low <= 0 && high >= 0;
    }).filter(Boolean).length;
    expect(covered / 300).toBeGreaterThan(0.88);
    expect(covered / 300).toBeLessThan(0.98);
  });

  it("gives the same interval for the same seed, and leaves draws without weight out", () => {
    const clusters = [
      { sum: 1, weight: 4 },
      { sum: 0, weight: 0 },
    ];
    const run = () => bootstrapInterval(clusters, { random: createRandom(7) });
    expect(run()).toEqual(run());
    expect([run().low, run().high]).toEqual([0.25, 0.25]);
    expect(bootstrapInterval([{ sum: 0, weight: 0 }], { random: createRandom(1) }).low).toBeNaN();
  });
});
