import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { answersFromText, readMetrics, spread, summarize } from "../../../host/eval/seed-summary.ts";
import { tempFolder } from "../cli/temp-agent.ts";

const metricsOf = (seed: number, window: number[], stream: number[], thresholds = [EXIT_NEVER, 29491]) => ({
  ...{ agent: "tiny", seed, phase: "final", steps: 20, wearers: { heldOut: ["3"] } },
  exits: thresholds.map((thresholdQ15) => ({ thresholdQ15 })),
  certification: { wearers: 1, windows: 12, hops: 40, leastAnswered: 263 },
  heldOut: { window: { accuracy: window, windows: 12 }, stream: { accuracy: stream } },
});

it("gives mean and sample deviation by exit and protocol, seeds in order", () => {
  const summary = summarize([metricsOf(2, [0.8, 0.9], [0.5, 0.7]), metricsOf(1, [0.6, 0.9], [0.5, 0.9])]);
  expect(summary).toMatchObject({ agent: "tiny", seeds: [1, 2], heldOut: ["3"] });
  expect(summary.window[0]!.mean).toBeCloseTo(0.7, 12);
  expect(summary.window[0]!.sd).toBeCloseTo(Math.SQRT2 / 10, 12);
  expect(summary.stream.map(({ mean }) => Number(mean.toFixed(6)))).toEqual([0.5, 0.8]);
  expect(spread([0.5])).toEqual({ mean: 0.5, sd: null }); // one seed says nothing of others
});

it("says from which confidence each exit answers, seed by seed, and leaves it out of a teacher, which has no thresholds", () => {
  const first = metricsOf(1, [0.6, 0.9], [0.5, 0.9], [EXIT_NEVER, 32768]);
  const { answersFrom } = summarize([first, metricsOf(2, [0.8, 0.9], [0.5, 0.7])]);
  expect(answersFrom).toEqual([
    [null, null],
    [1, 29491 / 32768],
  ]);
  expect(answersFrom!.map(answersFromText)).toEqual(["never", "90.0 to 100.0 %"]);
  expect(answersFromText([0.9, null, 0.9])).toBe("90.0 %, in 1 of 3 never");
  const { certification: _, ...teacher } = first;
  expect(summarize([teacher])).not.toHaveProperty("answersFrom");
});

it("says which seed did not finish, and which file is none of its own", () => {
  const folder = tempFolder();
  const path = join(folder.path, "metrics.json");
  expect(() => readMetrics(path)).toThrow(/metrics\.json is missing: its seed did not finish/);
  writeFileSync(path, '{"agent":"tiny"}');
  expect(() => readMetrics(path)).toThrow(/metrics\.json holds no metrics of `dormouse train`/);
  folder.remove();
});
