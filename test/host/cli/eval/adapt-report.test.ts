import { describe, expect, it } from "vitest";
import { adaptReport, chooseSetting, trySetting } from "../../../../host/cli/eval/adapt-report.ts";
import { createRandom } from "../../../../host/core/system/random.ts";
import type { AdaptDecision, AdaptSetting, AdaptTask, AdaptWearer } from "../../../../host/eval/adapt-wearer.ts";
import { adaptable, windowsFor } from "../../personalize/support.ts";

const { image, prior } = adaptable();
const [walking, other] = windowsFor(image, 2) as [Int8Array, Int8Array];
const contextOf = (window: Int8Array) => Int8Array.from([...window, ...window]);

const word = (label: number, gateProbabilityQ15 = 32_000) => ({ label, confidenceQ15: gateProbabilityQ15, gateProbabilityQ15 });

/**
 * A wearer of two recordings of 40 decisions. The device takes every fourth one for a 0 where it is a 1, in doubt unless `gateProbabilityQ15` is
 * more; with other evidence than the image's it says `own` there, no surer than `ownGateProbabilityQ15`. The cloud says the truth, but of those fourths what `cloud` says.
 */
function wearer(
  user: string,
  {
    own = 1,
    cloud = 1,
    gateProbabilityQ15 = 20_000,
    ownGateProbabilityQ15 = 20_000,
  }: Partial<Record<"own" | "cloud" | "gateProbabilityQ15" | "ownGateProbabilityQ15", number>> = {},
): AdaptWearer {
  const truths = Array.from({ length: 80 }, (_, i) => (i % 4 === 0 ? 1 : i % 2));
  const decisions = truths.map(
    (truth, i): AdaptDecision => ({
      ...{
        truth,
        wearer: user,
        exits: [i % 4 === 0 ? word(0, gateProbabilityQ15) : word(truth)],
        recording: i < 40 ? 0 : 1,
        patch: 64 + 16 * (i % 40),
      },
      cloud: { label: i % 4 === 0 ? cloud : truth, confidence: 0.9, macs: 1 },
      context: contextOf(truth === 1 ? walking : other),
    }),
  );
  return {
    user,
    decisions,
    decideWith: (lda, after) =>
      decisions.forEach(({ truth, exits }, i) => {
        after(i, lda === image.lda ? exits : [i % 4 === 0 ? word(own, ownGateProbabilityQ15) : word(truth)]);
      }),
  };
}

const task: AdaptTask = { image, prior, thresholdsQ15: [30_000], exploreEvery: 3 };
const setting: AdaptSetting = { priorWindows: 10, leastConfidence: 0.7 };
const report = (wearers: readonly AdaptWearer[], how: AdaptSetting | undefined = setting) =>
  adaptReport(wearers, task, how, createRandom(1));

describe("adaptation", () => {
  it("learns where it asks, and decides in the other half what it is sure of", () => {
    const { wearers, meanGain, before, after } = report([wearer("a", { ownGateProbabilityQ15: 32_000 })]);
    const [one] = wearers;
    expect(one).toMatchObject({ user: "a", asked: 20, explored: 10, windows: 40, disputed: 10, own: 10 });
    expect(one!.learned).toBeGreaterThan(5);
    expect(one!.before).toEqual({ accuracy: 0.75, answered: 0.75, wrong: 0 });
    expect(one!.after).toEqual({ accuracy: 1, answered: 1, wrong: 0 });
    expect(one!.learnedHalf.after.accuracy).toBe(1);
    expect(meanGain).toBeCloseTo(10 / 40, 12);
    expect([before.accuracy, after.accuracy]).toEqual([0.75, 1]);
  });

  it("decides what it is not sure of once it has won three disputes", () => {
    const [one] = report([wearer("a")]).wearers;
    expect(one).toMatchObject({ disputed: 10, own: 7 });
    expect(one!.after).toEqual({ accuracy: 37 / 40, answered: 0.75, wrong: 0 });
    expect(one!.learnedHalf.after).toEqual(one!.learnedHalf.before); // there are no disputes there
  });

  it("leaves alone what the image is sure of", () => {
    const { wearers } = report([wearer("a", { gateProbabilityQ15: 32_000 })]);
    expect(wearers[0]).toMatchObject({ asked: 13, explored: 13, disputed: 0, own: 0, gain: 0 });
    expect(wearers[0]!.learned).toBeGreaterThan(5);
    expect(wearers[0]!.after).toEqual(wearers[0]!.before);
  });

  it("leaves the word to the image where the cloud sides with it, or with neither", () => {
    for (const cloud of [0, 2]) {
      const { wearers } = report([wearer("a", { own: 1, cloud })]);
      expect(wearers[0]).toMatchObject({ disputed: 10, own: 0, gain: 0 });
    }
    const [sure] = report([wearer("a", { cloud: 0, ownGateProbabilityQ15: 32_000 })]).wearers;
    expect(sure).toMatchObject({ disputed: 10, own: 1, gain: expect.closeTo(1 / 40, 12) }); // until it has lost one
  });

  it("takes the word of the exit that is sure, as a device does", () => {
    const own = wearer("a");
    const decisions = own.decisions.map((one) => ({ ...one, exits: [...one.exits, ...one.exits] }));
    const decideWith: AdaptWearer["decideWith"] = (_, after) =>
      decisions.forEach(({ truth }, i) => {
        after(i, [word(truth), word(i % 4 === 0 ? 0 : truth, 20_000)]); // the first is sure, and right where the last is not
      });
    const two = { ...task, thresholdsQ15: [30_000, 30_000] };
    const [one] = adaptReport([{ ...own, decisions, decideWith }], two, setting, createRandom(1)).wearers;
    expect(one).toMatchObject({ disputed: 10, own: 10, gain: expect.closeTo(10 / 40, 12) });
    expect(one!.after).toEqual({ accuracy: 1, answered: 1, wrong: 0 });
  });

  it("asks what the thresholds leave in doubt besides", () => {
    const doubtful = wearer("a");
    const decisions = doubtful.decisions.map((one, i) => (i % 2 ? one : { ...one, exits: [word(one.exits[0]!.label, 20_000)] }));
    const { wearers } = report([{ ...doubtful, decisions }]);
    expect(wearers[0]).toMatchObject({ asked: 26, explored: 6 }); // 20 in doubt, and of every third the sure ones
    expect(wearers[0]!.before).toMatchObject({ answered: 0.5, wrong: 0 });
  });

  it("names the worst wearer and the spread over wearers", () => {
    const misled = wearer("b", { own: 2, cloud: 2 });
    const decisions = misled.decisions.map((one, i) => (i % 4 === 0 ? { ...one, truth: 0 } : one));
    const { worst, interval, meanGain } = report([wearer("a"), { ...misled, decisions }]);
    expect(worst).toEqual({ user: "b", gain: expect.closeTo(-7 / 40, 12) });
    expect(interval.low).toBeCloseTo(-7 / 40, 12); // a draw of two wearers may be b twice
    expect(interval.high).toBeCloseTo(7 / 40, 12);
    expect(meanGain).toBeCloseTo(0, 12);
  });

  it("never looks at the truth of what it learns from, and learns nothing without a setting", () => {
    const own = wearer("a");
    const decisions = own.decisions.map((one) => (one.recording === 0 ? { ...one, truth: 2 } : one));
    const scored = (one: AdaptWearer) => report([one]).wearers.map(({ after, gain, learned }) => ({ after, gain, learned }));
    expect(scored({ ...own, decisions })).toEqual(scored(own));
    expect(adaptReport([own], task, undefined, createRandom(1)).wearers[0]).toMatchObject({ learned: 0, gain: 0, disputed: 0 });
    expect(report([own], { ...setting, leastConfidence: 0.95 }).wearers[0]).toMatchObject({ learned: 0, gain: 0 });
  });

  it("halves the decisions of a single recording", () => {
    const own = wearer("a");
    const decisions = own.decisions.map((one, i) => ({ ...one, recording: 0, patch: 64 + 16 * i }));
    expect(report([{ ...own, decisions }]).wearers[0]).toMatchObject({ asked: 20, windows: 40 });
  });

  it("takes the setting of the largest gain that hurts no tuning wearer, and stays off where none gains", () => {
    const settings = [{ ...setting, leastConfidence: 0.95 }, setting];
    const choose = (wearers: readonly AdaptWearer[]) =>
      chooseSetting(
        settings.map((one) => trySetting(wearers, task, one)),
        0.005,
      );
    expect(choose([wearer("a")])).toBe(setting);
    expect(choose([wearer("a", { cloud: 0 })])).toBeUndefined();
    const misled = wearer("b", { own: 2, cloud: 2 });
    const decisions = misled.decisions.map((one, i) => (i % 4 === 0 ? { ...one, truth: 0 } : one));
    expect(choose([wearer("a"), wearer("c"), { ...misled, decisions }])).toBeUndefined();
  });
});
