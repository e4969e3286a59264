import { afterEach, beforeEach, expect, it } from "vitest";
import { activityTraining } from "../../../../agents/activity/train.ts";
import { computePart, openStudy } from "../../../../host/train/study/run-study.ts";
import type { Measured, StudyName, StudyPlan } from "../../../../host/train/study/study.ts";
import type { AgentTraining } from "../../../../host/train/training.ts";
import { cli } from "../../cli/fake-io.ts";
import { tempFolder } from "../../cli/temp-agent.ts";
import { recordingOfTwo, tinyConfig, tinyRecipe } from "../support/tiny-training.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const tiny: AgentTraining = {
  ...activityTraining,
  config: tinyConfig,
  recipe: { ...tinyRecipe, transitionShare: 0 },
  split: { fit: ["1"], select: ["2"], calibrate: ["3"], test: ["4"] },
};
const members = activityTraining.ensemble!.members.map((member) => ({ ...member, training: { ...tiny, guarantee: undefined } }));
const training: AgentTraining = {
  ...tiny,
  ensemble: { members, distillation: { ...activityTraining.ensemble!.distillation, batches: 2 } },
};

/** The three wearers of a study: the test wearer's recording is not there. */
const plan = (): StudyPlan => ({
  training,
  dataset: { recordings: ["1", "2", "3"].map((subject) => recordingOfTwo(subject, Number(subject))) },
  outDir: folder.path,
  seeds: [1],
  steps: 6,
  trials: 1,
});

async function compute(name: StudyName, ...parts: string[]): Promise<readonly Measured[]> {
  const study = openStudy(name, plan());
  const all: Measured[] = [];
  for (const part of parts) all.push(...(await computePart(study, part, {}, () => 0)).measured);
  return all;
}

it("runs the rows of a float and of a quantisation-aware training, the int8 ones in the core", async () => {
  const measured = await compute("quantisation", "float.seed-1", "aware.seed-1");
  expect(measured).toHaveLength(8);
  for (const { values, row } of measured) {
    expect(values.window, row).toBeGreaterThanOrEqual(0);
    expect(values.stream, row).toBeLessThanOrEqual(1);
  }
  const valuesOf = (row: string) => measured.find((one) => one.row === row)!.values;
  const aware = valuesOf("int8, quantisation-aware");
  expect(valuesOf("float32").weightBytes!).toBeGreaterThan(2 * aware.weightBytes!);
});

it("teaches a student by the members' reliability on the calibrate wearers", async () => {
  const measured = await compute("distillation", "member-a", "member-c", "member-e", "ensemble", "reliability-weighted.seed-1");
  expect(measured.map(({ row }) => row)).toEqual([
    ...["member a", "member c", "member e"],
    ...["mean-probability", "mean-logit", "majority-vote", "confidence-weighted", "reliability-weighted"].map(
      (kind) => `ensemble by ${kind}`,
    ),
    "reliability-weighted",
  ]);
  const { values } = measured.at(-1)!;
  for (const key of ["window", "stream", "eceWindow", "eceStream", "eceStreamScaled"]) expect(values[key], key).toBeGreaterThanOrEqual(0);
});

it("trains a shape with patches of 8 frames", async () => {
  const [trial] = await compute("search", "d16-SA-n4-p8-x1");
  expect(trial!.values).toMatchObject({ arenaBytes: expect.any(Number), instructions: expect.any(Number) });
});

it("says which part it does not have", async () => {
  await expect(compute("quantisation", "float.seed-2")).rejects.toThrow('the quantisation study has no part "float.seed-2"');
});

it.each([
  [["--name", "mine", "--study", "search"], /studies are of the activity agent/],
  [["activity", "--study", "distillation", "--trials", "3"], /--trials goes with --study search/],
  [["activity", "--study", "search", "--seeds", "3"], /a search has one seed/],
])("refuses %j with what to give instead", async (args, message) => {
  const { code, stderr } = await cli(["train", ...args, "--data", folder.path]);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
});
