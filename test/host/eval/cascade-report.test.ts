import { describe, expect, it } from "vitest";
import { createRandom } from "../../../host/core/system/random.ts";
import { cascadeReport } from "../../../host/eval/cascade-report.ts";
import type { CascadeDecision } from "../../../host/policy/certify/cascade.ts";

/** Decisions of `wearers` people; one in ten is hard: the device doubts and errs every other time, the cloud is nearly always right. */
function people(wearers: number, each: number, seed: number, errorsOfSure = 0): CascadeDecision[] {
  const random = createRandom(seed);
  return Array.from({ length: wearers * each }, (_, i): CascadeDecision => {
    const isHard = random.uniform() < 0.1;
    const isWrong = random.uniform() < (isHard ? 0.5 : errorsOfSure);
    const sure = Math.round(32768 * (isHard ? 0.5 + 0.2 * random.uniform() : 0.995));
    const last = { label: isWrong ? 0 : 1, confidenceQ15: sure, gateProbabilityQ15: sure };
    return {
      truth: 1,
      wearer: `w${Math.floor(i / each)}`,
      exits: [{ label: 0, confidenceQ15: 12_000, gateProbabilityQ15: 12_000 }, last],
      cloud: { label: random.uniform() < 0.97 ? 1 : 0, confidence: 0.9, macs: 100 },
    };
  });
}

const report = (scored = people(6, 300, 1)) =>
  cascadeReport(
    { scored, tuning: [people(3, 300, 2), people(4, 300, 3)], certifying: people(4, 300, 3) },
    { alpha: 0.01, delta: 0.1, random: createRandom(1) },
  );

describe("the cascade's report", () => {
  it("is more often right than device or cloud alone, at one ask in ten", () => {
    const { edge, cloud, cascade } = report();
    expect(cascade.accuracy).toBeGreaterThan(Math.max(edge.accuracy, cloud.accuracy) + 0.02);
    expect(cascade.askedFraction).toBeLessThan(1 / 7);
    expect(cascade.cloudComputeFraction).toBeCloseTo(cascade.askedFraction, 12); // every ask costs the same here
  });

  it("holds the certificate against the scored wearers", () => {
    const { guarantee } = report();
    expect(guarantee).toMatchObject({ alpha: 0.01, isCertified: true, certifiedOn: { decisions: 1200, wearers: 4 } });
    expect(guarantee.coverage).toBeGreaterThan(0.85);
    expect(guarantee.localErrorRate).toBeLessThanOrEqual(0.01);
    expect(guarantee.localErrorBound).toBeGreaterThan(guarantee.localErrorRate!);
    const { low, high, draws } = guarantee.wearerInterval;
    expect(draws).toBe(10_000);
    expect(low).toBeLessThanOrEqual(guarantee.localErrorRate!);
    expect(high).toBeGreaterThanOrEqual(guarantee.localErrorRate!);
  });

  it("says so when the scored wearers break it", () => {
    const { guarantee } = report([...people(5, 300, 1), ...people(1, 300, 4, 0.3).map((one) => ({ ...one, wearer: "odd" }))]);
    expect(guarantee.localErrorRate).toBeGreaterThan(0.03);
    expect(guarantee.wearerInterval.high).toBeGreaterThan(guarantee.localErrorBound);
  });

  it("draws the curve from the device alone to every decision asked", () => {
    const { curve, edge } = report();
    expect(curve).toHaveLength(21);
    expect(curve[0]).toEqual({ askedFraction: 0, accuracy: edge.accuracy });
    expect(curve[3]!.accuracy).toBeGreaterThan(edge.accuracy);
    expect(curve.at(-1)!.askedFraction).toBe(1);
  });

  it("names both operating points where they differ", () => {
    const { cascade, certified } = report();
    expect(cascade.point).toContain("not certified");
    expect(certified?.point).toContain("at most 0.01 wrong");
  });
});
