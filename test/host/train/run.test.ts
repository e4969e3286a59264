import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { trainAgent } from "../../../host/train/run.ts";
import { openRunFolder } from "../../../host/train/run-folder.ts";
import type { AgentTraining } from "../../../host/train/training.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { tempFolder } from "../cli/temp-agent.ts";
import { recordingOfTwo, tinyConfig, tinyRecipe } from "./support/tiny-training.ts";

const { ensemble: _, ...alone } = activityTraining;
const training: AgentTraining = {
  ...alone,
  name: "tiny",
  config: tinyConfig,
  recipe: { ...tinyRecipe, steps: 20 },
  split: { fit: ["1"], select: ["2"], calibrate: ["3"], test: ["4"] },
};
const dataset = { recordings: ["1", "2", "3", "4"].map((subject) => recordingOfTwo(subject, Number(subject))) };

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());
const run = (dir: string, over: Partial<Parameters<typeof trainAgent>[1]> = {}) =>
  trainAgent(training, { dataset, seed: 1, outDir: join(folder.path, dir), clock: new ManualClock(), ...over });
const read = (...path: string[]) => readFileSync(join(folder.path, ...path));

it("goes on after an interrupt and after a torn progress line, and leaves the folder that an undisturbed run leaves", {
  timeout: 120_000,
}, async () => {
  await run("straight");
  const stop = new AbortController();
  const interrupted = run("stopped", {
    signal: stop.signal,
    onProgress: ({ step }) => {
      if (step === 7) stop.abort();
    },
  });
  await expect(interrupted).rejects.toThrow(/stopped after step 7 of 20; .*stopped keeps it: the same command goes on/);
  appendFileSync(
    join(folder.path, "stopped", "progress.jsonl"),
    '{"step":8,"steps":20,"loss":1,"learningRate":1,"seconds":0}\n{"step":9,"st',
  );
  await run("stopped");
  for (const file of ["model.dmm", "model.safetensors", "metrics.json", "progress.jsonl", "config.json", "report.html"])
    expect(read("stopped", file), file).toEqual(read("straight", file));
});

it("refuses a folder of another training, and forgets it with isFresh", { timeout: 60_000 }, async () => {
  await run("one", { steps: 2 });
  await expect(run("one", { steps: 3 })).rejects.toThrow(/another training: the recipe .*--fresh/);
  await expect(run("one", { steps: 2, seed: 2 })).rejects.toThrow(/the seed differs/);
  await run("one", { steps: 3, isFresh: true });
  expect(
    openRunFolder(join(folder.path, "one"), false)
      .progress()
      .map(({ step }) => step),
  ).toEqual([1, 2, 3]);
  writeFileSync(join(folder.path, "one", "progress.jsonl"), "{}\n");
  await expect(run("one", { steps: 3 })).rejects.toThrow(/progress\.jsonl:1: no progress line/);
});

it("holds out the select wearers in phase select, and needs windows of those it trains on and holds out", { timeout: 60_000 }, async () => {
  const { metrics } = await run("select", { steps: 2, phase: "select" });
  expect(metrics).toMatchObject({ wearers: { train: ["1"], heldOut: ["2"] }, phase: "select", labels: activityTraining.manifest.labels });
  const without = { recordings: dataset.recordings.filter(({ subject }) => subject !== "3") };
  await expect(run("none", { dataset: without })).rejects.toThrow(/wearers held out \(3\) have no labelled stretch of 128 frames/);
});
