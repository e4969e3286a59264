import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../host/agent/random.ts";
import { type AdaptDecision, type AdaptSetting, adaptReport, chooseSetting, trySettings } from "../../../../host/cli/eval/adapt-report.ts";

/**
 * A wearer of two recordings whose device takes a third of the ones for zeros, doubting it. `cloud`: which label the cloud then gives;
 * of the rest it knows the truth. Features: one for what is doubted, one for what is truly zero.
 */
function wearer(name: string, cloud: number): AdaptDecision[] {
  return Array.from({ length: 240 }, (_, i): AdaptDecision => {
    const isDoubted = i % 3 === 0;
    const truth = isDoubted ? 1 : i % 2;
    const logits = isDoubted ? [0.3, 0.1, -4] : truth === 1 ? [-3, 3, -4] : [3, -3, -4];
    const sure = isDoubted ? 18_000 : 32_500;
    const last = { label: logits[0]! > logits[1]! ? 0 : 1, confidenceQ15: sure, certaintyQ15: sure };
    return {
      ...{ truth, wearer: name, exits: [last], cloud: { label: isDoubted ? cloud : truth, confidence: 0.9, macs: 1 } },
      ...{ logits, features: Int8Array.of(isDoubted ? 40 : 0, truth === 0 ? 40 : 0), recording: Math.floor(i / 120) },
    };
  });
}

const rule = { thresholdsQ15: [30_000], exploreEvery: Number.POSITIVE_INFINITY };
const setting: AdaptSetting = { rate: 0.3, leastConfidence: 0.8 };
const report = (decisions: readonly AdaptDecision[], own = rule, how = setting) => adaptReport(decisions, own, how, createRandom(1));

describe("adaptation", () => {
  it("asks only where the policy would, learns from the answers and is scored on the other recordings", () => {
    const { wearers, meanGain } = report(wearer("a", 1));
    const half = { before: 2 / 3, after: 1 };
    expect(wearers).toEqual([
      { user: "a", asked: 40, explored: 0, learned: 40, windows: 120, ...half, gain: 1 - 2 / 3, learnedHalf: half },
    ]);
    expect(meanGain).toBeCloseTo(1 / 3, 12);
  });

  it("asks about every eighth decision besides, sure or not", () => {
    const { wearers } = report(wearer("a", 1), { ...rule, exploreEvery: 8 });
    expect(wearers[0]).toMatchObject({ asked: 50, explored: 10, learned: 40, after: 1 }); // of 15 eighths, five are doubted anyway
  });

  it("names the wearer whom wrong answers hurt most, and the spread over wearers", () => {
    const misled = wearer("b", 1).map((one, i) => (i % 3 === 0 ? { ...one, truth: 0 } : one));
    const { worst, interval, wearers, learnedHalf } = report([...wearer("a", 1), ...misled]);
    expect(wearers.map(({ user }) => user)).toEqual(["a", "b"]);
    expect(worst).toEqual({ user: "b", gain: 2 / 3 - 1 });
    expect(interval.low).toBeCloseTo(worst.gain, 12); // a draw of two wearers may be b twice
    expect(interval.high).toBeCloseTo(1 / 3, 12);
    expect(learnedHalf.after).toBeCloseTo(5 / 6, 12);
  });

  it("never looks at the truth of what it learns from", () => {
    const own = wearer("a", 1);
    const mislabelled = own.map((one) => (one.recording === 0 ? { ...one, truth: 2 } : one));
    const scored = (decisions: readonly AdaptDecision[]) => report(decisions).wearers.map(({ after, gain }) => ({ after, gain }));
    expect(scored(mislabelled)).toEqual(scored(own));
  });

  it("learns nothing where the device is the surer, asked or not", () => {
    const proud = wearer("a", 1).map((one) => ({ ...one, exits: [{ ...one.exits[0]!, confidenceQ15: 29_900, certaintyQ15: 29_900 }] })); // 0.912
    expect(report(proud).wearers[0]).toMatchObject({ asked: 120, learned: 0, gain: 0 });
  });

  it("learns nothing from answers that are not sure enough", () => {
    const timid = wearer("a", 1).map((one) => ({ ...one, cloud: { ...one.cloud, confidence: 0.79 } }));
    expect(report(timid).wearers[0]).toMatchObject({ asked: 40, learned: 0, gain: 0 });
  });

  it("halves the decisions of a single recording", () => {
    const one = wearer("a", 1).map((decision) => ({ ...decision, recording: 0 }));
    expect(report(one).wearers[0]).toMatchObject({ asked: 40, windows: 120 });
  });

  it("takes the setting of the largest gain that hurts no tuning wearer, and stays off where none gains", () => {
    const settings = [{ ...setting, rate: 0.0001 }, setting];
    expect(chooseSetting(trySettings(wearer("a", 1), rule, settings), 0.005)).toBe(settings[1]);
    expect(chooseSetting(trySettings(wearer("a", 0), rule, settings), 0.005)).toBeUndefined();
    const forgetful = wearer("a", 1).map((one, i) => (i < 120 && i % 3 === 0 ? { ...one, truth: 0 } : one));
    expect(trySettings(forgetful, rule, [setting])[0]).toMatchObject({ tuningGain: 1 - 2 / 3, tuningLearnedHalf: 2 / 3 - 1 });
    expect(chooseSetting(trySettings(forgetful, rule, settings), 0.005)).toBeUndefined();
    const hurt = wearer("b", 1).map((one, i) => (i % 3 === 0 ? { ...one, truth: 0 } : one));
    expect(chooseSetting(trySettings([...wearer("a", 1), ...hurt], rule, settings), 0.005)).toBeUndefined();
  });
});
