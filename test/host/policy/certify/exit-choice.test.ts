import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../../assembly/layout.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import { exitCandidates, fullDepthThresholds, isWithinTolerance, shortlist } from "../../../../host/policy/certify/exit-choice.ts";
import { type ExitRun, exitSimulator } from "../../../../host/policy/certify/exit-simulation.ts";
import type { HopLogits } from "../../../../host/policy/certify/replay.ts";
import { activityShaped } from "../../../golden/random-image.ts";
import { randomPatches, seeded } from "../../../support/random.ts";

describe("simulated exits", () => {
  const image = activityShaped(6, false);
  const simulate = exitSimulator(image);
  const sure = Int16Array.of(0, 32_000, 0, 0, 0, 0, 0);
  const unsure = new Int16Array(7);

  /** MACs of each hop of the real core whose exit 0 answers where `isAnswered` says so, and goes to the last exit where it does not. */
  function coreMacs(isAnswered: readonly boolean[]): number {
    const free = { ...image, exits: image.exits.map((exit) => ({ ...exit, threshold: 0 })) };
    const session = Model.load(writeImage(free)).createSession();
    const patches = randomPatches(seeded(1), image.channels * image.patchFrames, isAnswered.length * image.hopPatches);
    let macs = 0;
    isAnswered.forEach((answered, hop) => {
      session.setPoint({
        ...{ maxExit: 3, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
        thresholds: answered ? [0, 0, 0, 0] : [EXIT_NEVER, EXIT_NEVER, EXIT_NEVER, 0],
      });
      for (const patch of patches.slice(hop * image.hopPatches, (hop + 1) * image.hopPatches))
        macs += session.pushPatch(patch).decision?.macs ?? 0;
    });
    return macs;
  }

  it.each([
    ["at full depth", [false, false, false]],
    ["at the first exit", [true, true, true, true]],
    ["with catch-up", [true, false, true, false]],
    ["with rebuilds", [true, true, true, true, false, true, true, true, false, false]],
  ])("cost what the core counts %s", (_, isAnswered) => {
    const recording = isAnswered.map((answered): HopLogits => ({ truth: 1, logits: [answered ? sure : unsure, unsure, unsure, unsure] }));
    const run = simulate([recording], [20_000, 20_000, 20_000, 0]);
    expect(run.macs).toBe(coreMacs(isAnswered));
    expect(run).toMatchObject({ hops: isAnswered.length, right: isAnswered.filter(Boolean).length });
  });

  it("count what is not labelled, and do not score it", () => {
    const hop: HopLogits = { truth: -1, logits: [sure, sure, sure, sure] };
    expect(simulate([[hop], [hop]], [0, 0, 0, 0])).toMatchObject({ decisions: 0, right: 0, hops: 2 });
  });
});

const run = (right: number, macs = 100): ExitRun => ({ decisions: 1000, right, hops: 1, macs });

describe("the choice of exits", () => {
  it("knows three numbers: who answers first, from where on, and what the exits after it share", () => {
    const candidates = exitCandidates(4);
    expect(new Set(candidates.map(String)).size).toBe(candidates.length);
    for (const [a = 0, b = 0, c = 0, last] of candidates) {
      expect(last).toBe(0);
      if (a < EXIT_NEVER) expect(b).toBe(c);
      if (b < EXIT_NEVER) expect(c).toBeLessThanOrEqual(b);
    }
    expect(exitCandidates(1)).toEqual([]);
    expect(fullDepthThresholds(1)).toEqual([0]);
  });

  it("holds the tolerance in every group, and with any wearer left out", () => {
    const full = [[run(950), run(950)], [run(950)]];
    expect(isWithinTolerance([[run(949), run(949)], [run(949)]], full, 0.001)).toBe(true);
    expect(isWithinTolerance([[run(990), run(990)], [run(940)]], full, 0.001)).toBe(false); // the second group pays
    expect(isWithinTolerance([[run(990), run(930)], [run(950)]], full, 0.001)).toBe(false); // all rests on the first wearer
  });

  it("lists the cheapest first, a step apart, and nothing that loses too much", () => {
    const macs = [120, 100, 100.5, 101, 90];
    const simulate = ([i = 0]: readonly number[]) => [[run(i === 4 ? 900 : 950, macs[i]!)]];
    const list = shortlist([[0], [1], [2], [3], [4]], simulate, [[run(950)]], 0.001);
    expect(list).toEqual([[1], [3], [0]]);
  });
});
