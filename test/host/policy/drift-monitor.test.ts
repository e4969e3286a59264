import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { createRandom } from "../../../host/agent/random.ts";
import { answersToNotice, createDriftMonitor } from "../../../host/policy/drift-monitor.ts";
import { createPrivacyBudget } from "../../../host/policy/privacy-budget.ts";
import { violationRate } from "../../../host/policy/violation.ts";

const usualDoubt = [0.05, 0.1, 0.2];

describe("the drift monitor", () => {
  it("alarms falsely in at most 5 % of long runs in which all is as usual", () => {
    let alarms = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = createRandom(seed);
      const monitor = createDriftMonitor({ usualDoubt });
      for (let i = 0; i < 600; i++) {
        const label = random.integer(3);
        monitor.onAnswer(label, random.uniform() < usualDoubt[label]! ? 1 : 0);
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
      const monitor = createDriftMonitor({ usualDoubt });
      for (let i = 0; i < within && monitor.alarms.length === 0; i++) monitor.onAnswer(1, random.uniform() < 0.1 * growth ? 1 : 0);
      if (monitor.alarms.length > 0) noticed++;
    }
    expect(noticed / 200).toBeGreaterThanOrEqual(0.91); // 95 % is stated; 200 runs spread by 1.5 points
  });

  it("tightens step by step, until nothing is answered locally", () => {
    const monitor = createDriftMonitor({ usualDoubt });
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
    const monitor = createDriftMonitor({ usualDoubt });
    for (let i = 0; i < 5000; i++) monitor.onAnswer(i % 3, 0.01);
    expect(monitor.step).toBe(0);
    expect(monitor.evidence).toBeLessThan(1);
  });
});

describe("the privacy budget", () => {
  it("lets no more bytes out on any day, and offers the fullest form that fits", () => {
    const budget = createPrivacyBudget(10_000);
    const random = createRandom(3);
    const sent = [0, 0, 0];
    for (let at = 0; at < 3 * 86_400; at += 300) {
      const form = budget.form(at, 3000, 800);
      const bytes = form === "context" ? 3000 : form === "window" ? 800 : 0;
      if (bytes === 0 || random.uniform() < 0.5) continue;
      budget.send(at, bytes);
      sent[Math.floor(at / 86_400)]! += bytes;
    }
    for (const day of sent) {
      expect(day).toBeLessThanOrEqual(10_000);
      expect(day).toBeGreaterThan(9000);
    }
    expect(budget.sentBytes).toBe(sent.reduce((a, b) => a + b, 0));
  });

  it("keeps back what belongs to the rest of the day", () => {
    const budget = createPrivacyBudget(24_000);
    expect(budget.pacedBytes(0)).toBeCloseTo(1000, 6);
    budget.send(0, 1000);
    expect(budget.pacedBytes(0)).toBe(0);
    expect(budget.pacedBytes(12 * 3600)).toBeCloseTo(12_000, 6);
    expect(budget.pacedBytes(86_400)).toBeCloseTo(1000, 6);
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
