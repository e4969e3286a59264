import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../host/agent/random.ts";
import { type AdaptDecision, adaptReport, chooseRate } from "../../../../host/cli/eval/adapt-report.ts";

/**
 * A wearer of two recordings whose device takes a third of the ones for zeros, doubting it. `cloud`: which label the cloud then gives.
 */
function wearer(name: string, cloud: number): AdaptDecision[] {
  return Array.from({ length: 240 }, (_, i): AdaptDecision => {
    const isDoubted = i % 3 === 0;
    const truth = isDoubted ? 1 : i % 2;
    const logits = isDoubted ? [0.3, 0.1, -4] : truth === 1 ? [-3, 3, -4] : [3, -3, -4];
    const last = { label: logits[0]! > logits[1]! ? 0 : 1, confidenceQ15: isDoubted ? 18_000 : 32_500 };
    return {
      ...{ truth, wearer: name, exits: [last], cloud: { label: cloud, confidence: 0.9, macs: 1 } },
      ...{ logits, recording: Math.floor(i / 120) },
    };
  });
}

const thresholds = [30_000];
const random = () => createRandom(1);

describe("adaptation", () => {
  it("asks only where the policy would, learns from the answers and is scored on the other recordings", () => {
    const { wearers, meanGain } = adaptReport(wearer("a", 1), thresholds, { rate: 0.3 }, random());
    expect(wearers).toEqual([{ user: "a", asked: 40, learned: 40, windows: 120, before: 2 / 3, after: 1, gain: 1 - 2 / 3 }]);
    expect(meanGain).toBeCloseTo(1 / 3, 12);
  });

  it("names the wearer whom wrong answers hurt most, and the spread over wearers", () => {
    const liar = wearer("b", 2).map((one) => ({ ...one, logits: one.logits.map((value, c) => (c === 2 ? 0.25 : value)) }));
    const rightful = liar.map((one, i) => ({ ...one, truth: i % 3 === 0 ? 0 : one.truth, wearer: "b" }));
    const { worst, interval, wearers } = adaptReport([...wearer("a", 1), ...rightful], thresholds, { rate: 0.3 }, random());
    expect(wearers.map(({ user }) => user)).toEqual(["a", "b"]);
    expect(worst.user).toBe("b");
    expect(worst.gain).toBeLessThan(0);
    expect(interval.low).toBeCloseTo(worst.gain, 12); // a draw of two wearers may be b twice
    expect(interval.high).toBeCloseTo(1 / 3, 12);
  });

  it("never looks at the truth of what it learns from", () => {
    const own = wearer("a", 1);
    const mislabelled = own.map((one) => (one.recording === 0 ? { ...one, truth: 2 } : one));
    expect(adaptReport(mislabelled, thresholds, { rate: 0.3 }, random())).toEqual(adaptReport(own, thresholds, { rate: 0.3 }, random()));
  });

  it("learns nothing where the device is the surer", () => {
    const timid = wearer("a", 1).map((one) => ({ ...one, cloud: { ...one.cloud, confidence: 0.4 } }));
    expect(adaptReport(timid, thresholds, { rate: 0.3 }, random()).wearers[0]).toMatchObject({ asked: 40, learned: 0, gain: 0 });
  });

  it("halves the decisions of a single recording", () => {
    const one = wearer("a", 1).map((decision) => ({ ...decision, recording: 0 }));
    expect(adaptReport(one, thresholds, { rate: 0.3 }, random()).wearers[0]).toMatchObject({ asked: 40, windows: 120 });
  });

  it("stays off where the tuning wearers do not gain by it", () => {
    expect(chooseRate([wearer("a", 1)], thresholds, [0.3], 0.005, random())).toBe(0.3);
    expect(chooseRate([wearer("a", 0)], thresholds, [0.3, 1], 0.005, random())).toBe(0);
  });
});
