import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../../assembly/layout.ts";
import { accuracyAskingLowest, type CascadeDecision, scoreCascade, sureExit } from "../../../../host/policy/certify/cascade.ts";
import { cappedThresholds } from "../../../../host/policy/certify/operating-point.ts";
import { isCloudSurer } from "../../../../host/policy/govern/word.ts";

/** A decision of two exits; truth 1. Confidences are probabilities. */
function decision(early: [number, number], last: [number, number], cloud: [number, number], macs = 10): CascadeDecision {
  const exit = ([label, confidence]: [number, number]) => ({
    label,
    confidenceQ15: Math.round(confidence * 32768),
    gateProbabilityQ15: Math.round(confidence * 32768),
  });
  return { truth: 1, wearer: "a", exits: [exit(early), exit(last)], cloud: { label: cloud[0], confidence: cloud[1], macs } };
}

const q15 = (probability: number): number => Math.round(probability * 32768);

describe("the word", () => {
  it("goes to the surer, a tie to the cloud", () => {
    expect(isCloudSurer(0.8, q15(0.7))).toBe(true);
    expect(isCloudSurer(0.5, 16384)).toBe(true);
    expect(isCloudSurer(0.6, q15(0.7))).toBe(false);
  });
});

describe("the cascade", () => {
  const decisions = [
    decision([1, 0.95], [0, 0.99], [0, 0.99]), // the early exit is sure, and right
    decision([0, 0.5], [1, 0.9], [0, 0.99]), // the last exit is sure, and right
    decision([0, 0.5], [0, 0.6], [1, 0.7], 30), // asked; the cloud is surer, and right
    decision([0, 0.5], [0, 0.6], [1, 0.55]), // asked; the device is surer, and wrong
    decision([0, 0.93], [1, 0.5], [1, 0.9]), // the early exit is sure, and wrong
  ];

  it("answers at the first sure exit, asks about the rest, and lets the surer speak", () => {
    expect(decisions.map((one) => sureExit(one, [q15(0.9), q15(0.8)]))).toEqual([0, 1, -1, -1, 0]);
    const score = scoreCascade(decisions, [q15(0.9), q15(0.8)]);
    expect(score).toEqual({
      accuracy: 3 / 5,
      askedFraction: 2 / 5,
      cloudComputeFraction: 40 / 70,
      cloudWordFraction: 1 / 2,
      coverage: 3 / 5,
      localErrors: 1,
      localAnswers: 3,
    });
  });

  it("asks everything where no exit may answer, and nothing where the last always may", () => {
    expect(scoreCascade(decisions, [EXIT_NEVER, EXIT_NEVER])).toMatchObject({ askedFraction: 1, cloudComputeFraction: 1, coverage: 0 });
    expect(scoreCascade(decisions, [EXIT_NEVER, 0])).toMatchObject({ askedFraction: 0, cloudComputeFraction: 0, accuracy: 2 / 5 });
  });

  it("asks the lowest scores first", () => {
    const confidence = decisions.map(({ exits }) => exits[1]!.confidenceQ15);
    expect(accuracyAskingLowest(decisions, confidence, 0)).toBe(2 / 5); // the last exit alone
    expect(accuracyAskingLowest(decisions, confidence, 0.4)).toBe(3 / 5); // 0.5 and the first 0.6 are asked
    expect(accuracyAskingLowest(decisions, confidence, 1)).toBe(2 / 5); // 0.99 against 0.9: the cloud spoils the second
  });
});

describe("the capped operating point", () => {
  // Doubt grows with the index; the cloud is always right and sure.
  const group = (n: number): CascadeDecision[] =>
    Array.from({ length: n }, (_, i) => decision([0, 0.4], [i % 3 === 0 ? 0 : 1, 0.95 - (0.5 * i) / n], [1, 0.96]));

  it("asks as much as helps, never beyond the cap in any group", () => {
    const { thresholds, askedFractions } = cappedThresholds([group(200), group(90)], 1 / 7);
    for (const asked of askedFractions) expect(asked).toBeLessThanOrEqual(1 / 7);
    expect(Math.max(...askedFractions)).toBeGreaterThan(0.1);
    expect(thresholds).toHaveLength(2);
    const free = cappedThresholds([group(200)], 1);
    expect(free.accuracies[0]).toBe(1);
  });

  it("asks nothing where asking does not help", () => {
    const useless = group(100).map((one) => ({ ...one, cloud: { ...one.cloud, label: 0 } }));
    expect(cappedThresholds([useless], 0.5).askedFractions).toEqual([0]);
  });
});
