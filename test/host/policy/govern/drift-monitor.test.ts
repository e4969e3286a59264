import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../../assembly/layout.ts";
import { createRandom } from "../../../../host/core/system/random.ts";
import { violationRate } from "../../../../host/policy/certify/violation.ts";
import { answersToNotice, createDriftMonitor } from "../../../../host/policy/govern/drift-monitor.ts";

const usualDisagreement = [0.05, 0.1, 0.2];

describe("the drift monitor", () => {
  it("alarms falsely in at most 5 % of long runs in which all is as usual", () => {
    let alarms = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = createRandom(seed);
      const monitor = createDriftMonitor({ usualDisagreement });
      for (let i = 0; i < 600; i++) {
        const label = random.integer(3);
        monitor.onAnswer(label, random.uniform() < usualDisagreement[label]! ? 1 : 0);
      }
      if (monitor.alarms.length > 0) alarms++;
    }
    expect(alarms / 300).toBeLessThanOrEqual(0.05);
  });

  it.each([2, 3, 5])("notices doubts that have grown %i-fold within the number of answers that it states", (growth) => {
    const within = answersToNotice(0.1, growth, 3);
    let noticed = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = createRandom(seed);
      const monitor = createDriftMonitor({ usualDisagreement });
      for (let i = 0; i < within && monitor.alarms.length === 0; i++) monitor.onAnswer(1, random.uniform() < 0.1 * growth ? 1 : 0);
      if (monitor.alarms.length > 0) noticed++;
    }
    expect(noticed / 200).toBeGreaterThanOrEqual(0.91); // 95 % is stated; 200 runs spread by 1.5 points
  });

  it("tightens step by step, until nothing is answered locally", () => {
    const monitor = createDriftMonitor({ usualDisagreement });
    expect(monitor.thresholdQ15).toBe(0);
    const steps: number[] = [];
    for (let i = 0; i < 200; i++) {
      monitor.onAnswer(0, 0.9);
      steps.push(monitor.thresholdQ15);
    }
    expect(new Set(steps).size).toBe(3);
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    expect(monitor.thresholdQ15).toBe(EXIT_NEVER);
    expect(monitor.alarms).toHaveLength(2);
    expect(monitor.byLabel()[0]).toMatchObject({ answers: 200 });
  });

  it("stays as it is while the cloud agrees", () => {
    const monitor = createDriftMonitor({ usualDisagreement });
    for (let i = 0; i < 5000; i++) monitor.onAnswer(i % 3, 0.01);
    expect(monitor.step).toBe(0);
    expect(monitor.eValue).toBeLessThan(1);
  });
});

describe("the guarantee over other draws of wearers", () => {
  it("is broken by as many draws as have too many of the wearers who break it", () => {
    const good = { sum: 0, weight: 100 };
    const bad = { sum: 10, weight: 100 };
    expect(violationRate([good, good], 0.02, { random: createRandom(1) })).toBe(0);
    expect(violationRate([bad, bad], 0.02, { random: createRandom(1) })).toBe(1);
    // one of four: broken unless a draw has none of it, (3/4)^4 = 31.6 %
    expect(violationRate([good, good, good, bad], 0.02, { random: createRandom(1), draws: 20_000 })).toBeCloseTo(1 - 0.75 ** 4, 1);
    expect(violationRate([], 0.02, { random: createRandom(1) })).toBeNaN();
  });
});
