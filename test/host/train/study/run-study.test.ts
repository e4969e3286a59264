import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { activityTraining } from "../../../../agents/activity/train.ts";
import { rowFigure } from "../../../../host/train/study/row-figure.ts";
import { buildReport, computePart, openStudy, partFiles, runStudy } from "../../../../host/train/study/run-study.ts";
import type { Measured, Study, StudyPlan } from "../../../../host/train/study/study.ts";
import { rowsConclusion } from "../../../../host/train/study/table-rows.ts";
import { tempFolder } from "../../cli/temp-agent.ts";
import { recordingOfTwo } from "../support/tiny-training.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const planOf = (over: Partial<StudyPlan> = {}): StudyPlan => ({
  training: activityTraining,
  dataset: { recordings: [recordingOfTwo()] },
  outDir: folder.path,
  seeds: [1],
  steps: 4,
  trials: 20,
  ...over,
});

/** A search whose trainings are invented: more MACs, more accuracy, with some noise by name. */
function invented(plan: StudyPlan, computed: string[]): Study {
  const search = openStudy("search", plan);
  const compute = async (_plan: StudyPlan, part: string): Promise<Measured[]> => {
    computed.push(part);
    const macs = part.length * 1000 + part.charCodeAt(1) * 10;
    const accuracy = 0.5 + ((macs * 7919) % 400) / 1000;
    const values = { window: accuracy, stream: accuracy, macs, instructions: 3 * macs, arenaBytes: macs, imageBytes: 1, parameters: 1 };
    return [{ row: part, seed: 1, values }];
  };
  return { ...search, spec: { ...search.spec, compute } };
}

async function run(plan: StudyPlan): Promise<{ computed: string[]; known: number; front: readonly (readonly string[])[] }> {
  const computed: string[] = [];
  const study = invented(plan, computed);
  let known = 0;
  const report = await runStudy(study, {
    computeAll: async (parts) => {
      for (const part of [...parts].reverse()) await computePart(study, part, {}, () => 0);
    },
    onKnown: () => known++,
  });
  return { computed, known, front: report.rows };
}

it("computes every trial once, goes on where it was stopped, and ends where an undisturbed search ends", async () => {
  const straight = await run(planOf());
  expect(new Set(straight.computed).size).toBe(20);
  const half = planOf({ outDir: join(folder.path, "half") });
  expect((await run({ ...half, trials: 13 })).computed).toHaveLength(13);
  const rest = await run(half);
  expect(rest).toMatchObject({ known: 13, front: straight.front });
  expect([...rest.computed].sort()).toEqual(
    straight.computed
      .slice(0)
      .sort()
      .filter((part) => rest.computed.includes(part)),
  );
  expect(rest.computed).toHaveLength(7);
});

it("writes study.json and a page that needs nothing else", async () => {
  await run(planOf());
  const report = JSON.parse(readFileSync(join(folder.path, "study.json"), "utf8")) as Record<string, unknown>;
  expect(report).toMatchObject({ study: "search", agent: "activity", seeds: [1], wearers: { heldOut: activityTraining.split.select } });
  expect(report.figure).toBeUndefined();
  const page = readFileSync(join(folder.path, "study.html"), "utf8");
  expect(page).toContain("(shipped)");
  expect(page).toMatch(/<p>Most accurate: .* instructions.*One seed was trained/);
  expect(page.match(/class="fill bubble/g)).toHaveLength(20);
  expect(page).not.toMatch(/<script|https?:/);
});

it("refuses parts of other settings and damaged ones, and forgets them by clear", async () => {
  await run(planOf());
  await expect(run(planOf({ steps: 5 }))).rejects.toThrow(/computed with other recordings, another recipe or other --steps.*--fresh/);
  const files = partFiles(openStudy("search", planOf()));
  writeFileSync(join(folder.path, "parts", "d32-SSAS-n8-p4-x2.json"), "{}");
  await expect(run(planOf())).rejects.toThrow(/is no finished part of a study\. Delete it/);
  files.clear();
  expect(existsSync(join(folder.path, "parts"))).toBe(false);
});

it("says mean and deviation over seeds, and – where nothing was measured", () => {
  const measured = (row: string, values: Record<string, number>): Measured[] =>
    [0, 0.02].map((more, seed) => ({ row, seed, values: { ...values, window: values.window! + more } }));
  const plan = planOf({ seeds: [1, 2] });
  const distillation = buildReport(openStudy("distillation", plan), [
    ...measured("labels alone", { window: 0.9, stream: 0.95, eceWindow: 0.1 }),
    ...measured("mean-logit", { window: 0.8, stream: 0.97 }),
    ...measured("member a", { window: 0.7, stream: 0.8 }),
  ]);
  expect(distillation.rows.at(-1)).toEqual(["labels alone", "91.00 ± 1.41 %", "95.00 ± 0.00 %", "10.00 ± 0.00 %", "–", "–", "–", "–"]);
  expect(distillation.conclusion).toBe(
    "Highest streaming mean: mean-logit, 97.00 ± 0.00 %. Every other row is farther below it than a deviation over seeds.",
  );
  expect(distillation.notes.join(" ")).toMatch(/a 71\.00 ± 1\.41 % and 80\.00 ± 0\.00 %/);
  const quantisation = buildReport(
    openStudy("quantisation", plan),
    measured("int8, quantisation-aware", { window: 0.9, stream: 0.9, imageBytes: 48_000, weightBytes: 36_000, stateBytes: 7_000 }),
  );
  expect(quantisation.rows.at(-1)).toEqual([
    ...["int8, quantisation-aware", "core", "91.00 ± 1.41 %", "90.00 ± 0.00 %", "48,000", "36,000", "7,000"],
  ]);
});

it("concludes with the best row, those that seeds do not tell from it, and what one seed cannot say", () => {
  const of = (row: string, ...streams: number[]) =>
    streams.map((stream, seed): Measured => ({ row, seed, values: { stream, window: 0.5 } }));
  const measured = [...of("a", 0.95, 0.97), ...of("b", 0.94, 0.96), ...of("c", 0.9, 0.9)];
  expect(rowsConclusion(["a", "b", "c", "unmeasured"], measured)).toBe(
    "Highest streaming mean: a, 96.00 ± 1.41 %. Within a deviation over seeds of it, so that another seed may order them otherwise: b.",
  );
  expect(rowsConclusion(["a", "b"], [...of("a", 0.9), ...of("b", 0.95)])).toMatch(
    /^Highest streaming mean: b, 95\.00 %\. One seed was trained/,
  );
  expect(rowsConclusion(["a"], [])).toBe("Nothing was measured.");
});

it("draws a dot and a line of one deviation for each row and protocol", () => {
  const measured = [0.9, 0.92].map((window, seed): Measured => ({ row: "a & b", seed, values: { window, stream: window } }));
  const svg = rowFigure("title", ["a & b", "nothing"], measured);
  expect(svg.match(/<line class="line s[01]"/g)).toHaveLength(2);
  expect(svg).toContain("a &amp; b, single windows: 91.00 ± 1.41 %");
});
