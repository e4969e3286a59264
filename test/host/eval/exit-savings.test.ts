import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import type { SyntheticParameters } from "../../../host/data/synthetic.ts";
import { chooseExits, exitSavings } from "../../../host/eval/exit-savings.ts";
import { fullDepthThresholds } from "../../../host/policy/certify/exit-choice.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { syntheticRecording } from "../../support/recording.ts";

const parameters = JSON.parse(readFileSync(join(packageRoot(), "agents/activity/synthetic.json"), "utf8")) as SyntheticParameters;
const recordings = [1, 2].map((seed) => syntheticRecording(parameters, ["walking", "sitting", "standing"], { seed, frames: 4000 }));
const image = activityShaped(6);
const never = { ...image, exits: image.exits.map((exit) => ({ ...exit, threshold: EXIT_NEVER })) };
const model = Model.load(writeImage(never)); // certifies nothing: only the set-point of the measurement lets exits answer
const q15 = (probability: number): number => Math.round(probability * 32768);
const decisions = 2 * Math.floor(4000 / 64);

describe("exits alone", () => {
  it("answer every decision, at the first exit that is sure, else at the last", () => {
    const { early, full } = exitSavings(model, recordings, [q15(0.5), q15(0.5), q15(0.5), 0], -1);
    for (const run of [early, full]) {
      expect(run.answered).toBe(run.decisions);
      expect(run.answeredByExit.reduce((sum, n) => sum + n, 0)).toBe(run.decisions);
      expect(run.decisions).toBeLessThanOrEqual(decisions);
    }
    expect(early.answeredByExit[0]).toBeGreaterThan(0);
    expect(full.answeredByExit).toEqual([0, 0, 0, full.decisions]);
    expect(full.rebuilds).toBe(0);
  });

  it("cost full depth's compute where no exit may answer, and the first segment's where all may", () => {
    const none = exitSavings(model, recordings, fullDepthThresholds(4), -1);
    expect(none.computeShare).toBe(1);
    expect(none.accuracy).toBe(none.fullAccuracy);
    const all = exitSavings(model, recordings, [0, 0, 0, 0], -1);
    expect(all.early.answeredByExit).toEqual([all.early.decisions, 0, 0, 0]);
    expect(all.computeShare).toBeCloseTo(model.createSession().opCount(0).macs / model.createSession().opCount(3).macs, 1);
    expect(all.early.rebuilds).toBe(0); // nothing above ever runs
  });

  it("take the least compute that is within the tolerance in every group, through the core, and full depth if nothing is", () => {
    const groups = recordings.map((recording, i) => [{ ...recording, subject: `w${i}` }]);
    expect(chooseExits(model, groups, 1, -1)).toEqual({ thresholdsQ15: [q15(0.5), q15(0.5), q15(0.5), 0], coreRuns: 1 });
    expect(chooseExits(model, groups, -1.1, -1)).toEqual({ thresholdsQ15: fullDepthThresholds(4), coreRuns: 0 });
    const { thresholdsQ15 } = chooseExits(model, groups, 0.02, -1);
    for (const group of groups) {
      const { accuracy, fullAccuracy, computeShare } = exitSavings(model, group, thresholdsQ15, -1);
      expect(fullAccuracy - accuracy).toBeLessThanOrEqual(0.02 + 1e-9);
      expect(computeShare).toBeLessThan(1);
    }
  });
});
