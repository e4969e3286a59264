import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { isMemberTrained } from "../../../host/train/ensemble.ts";
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

describe("a training that was interrupted", () => {
  const STEPS = 40; // a progress line every second step
  let straight: ReturnType<typeof tempFolder>;
  beforeAll(async () => {
    straight = tempFolder();
    await trainAgent(training, { dataset, seed: 1, outDir: straight.path, clock: new ManualClock(), steps: STEPS });
  });
  afterAll(() => straight.remove());

  it("goes on, also after a torn progress line, and leaves the folder that an undisturbed run leaves", async () => {
    const stop = new AbortController();
    const interrupted = run("stopped", {
      steps: STEPS,
      signal: stop.signal,
      onProgress: ({ step }) => {
        if (step === 8) stop.abort();
      },
    });
    await expect(interrupted).rejects.toThrow(/stopped after step 8 of 40; .*stopped keeps it: the same command goes on/);
    appendFileSync(
      join(folder.path, "stopped", "progress.jsonl"),
      '{"step":9,"steps":40,"loss":1,"learningRate":1,"seconds":0}\n{"step":10,"st',
    );
    await run("stopped", { steps: STEPS });
    for (const file of ["model.dmm", "model.safetensors", "metrics.json", "progress.jsonl", "config.json", "report.html"])
      expect(read("stopped", file), file).toEqual(readFileSync(join(straight.path, file)));
  });

  it("between two progress lines has the losses from before in the next", async () => {
    let looks = 0; // one per step
    const signal = {
      get aborted() {
        looks++;
        return looks === 5 || looks === 10;
      },
    } as AbortSignal;
    await expect(run("stopped", { steps: STEPS, signal })).rejects.toThrow(/stopped after step 5 of 40/);
    await expect(run("stopped", { steps: STEPS, signal })).rejects.toThrow(/stopped after step 10 of 40/);
    const lines = (text: Buffer) => text.toString().split("\n").slice(0, 5);
    expect(lines(read("stopped", "progress.jsonl"))).toEqual(lines(readFileSync(join(straight.path, "progress.jsonl"))));
  });
});

it("stops at a loss that is no number, and leaves a folder that can be read", async () => {
  const steep = { ...training, recipe: { ...training.recipe, peakLearningRate: 1e30 } };
  const outDir = join(folder.path, "steep");
  const diverges = () => trainAgent(steep, { dataset, seed: 1, outDir, clock: new ManualClock() });
  await expect(diverges()).rejects.toMatchObject({
    code: "TRAIN_DIVERGED",
    message: expect.stringMatching(/the loss of step \d+ of 20 is/),
  });
  expect(openRunFolder(outDir, false).progress().length).toBeGreaterThan(0);
  await expect(diverges()).rejects.toMatchObject({ code: "TRAIN_DIVERGED" });
});

it("refuses a folder of another training, and forgets it with isFresh", async () => {
  await run("one", { steps: 2 });
  await expect(run("one", { steps: 3 })).rejects.toThrow(/another training: the recipe .*--fresh/);
  await expect(run("one", { steps: 2, seed: 2 })).rejects.toThrow(/the seed differs/);
  writeFileSync(join(folder.path, "one", "CARD.md"), "who may use it");
  await run("one", { steps: 3, isFresh: true });
  expect(
    openRunFolder(join(folder.path, "one"), false)
      .progress()
      .map(({ step }) => step),
  ).toEqual([1, 2, 3]);
  expect(read("one", "CARD.md").toString()).toBe("who may use it"); // its author's, not the run's
  writeFileSync(join(folder.path, "one", "progress.jsonl"), "{}\n");
  await expect(run("one", { steps: 3 })).rejects.toThrow(/progress\.jsonl:1: no progress line/);
});

it("takes a member of an ensemble for trained only where this very run made it", async () => {
  const member = { name: "a", seed: 1, training };
  await run(join("ensemble", "a", "seed-1"), { steps: 2 });
  const isTrained = (over: Partial<Parameters<typeof isMemberTrained>[2]> = {}, of = member) =>
    isMemberTrained(folder.path, of, { dataset, steps: 2, ...over });
  expect(isTrained()).toBe(true);
  expect(isTrained({ steps: 3 })).toBe(false);
  expect(isTrained({ phase: "select" })).toBe(false);
  expect(isTrained({}, { ...member, training: { ...training, recipe: { ...training.recipe, dropout: 0.3 } } })).toBe(false);
  const lda = { shrinkage: 0.1, rotationRadians: [0, 0, 0] as const, share: 0.2, offsets: [0, 0, 0] };
  expect(isTrained({}, { ...member, training: { ...training, lda } })).toBe(false);
  expect(isTrained({}, { ...member, training: { ...training, image: { ...training.image, hopPatches: 2 } } })).toBe(false);
  writeFileSync(join(folder.path, "ensemble", "a", "seed-1", "config.json"), "{");
  expect(isTrained()).toBe(false);
});

it("says what recordings too short for the recipe lack", async () => {
  const { segments, ...rest } = recordingOfTwo("1", 1);
  const short = { recordings: [{ ...rest, segments: segments.filter(({ label }) => label !== 7) }, ...dataset.recordings.slice(1)] };
  await expect(run("short", { dataset: short, steps: 2, phase: "select" })).rejects.toThrow(/no transition with 128 frames before it/);
});

it("holds out the select wearers in phase select, and needs windows of those it trains on and holds out", async () => {
  const { metrics } = await run("select", { steps: 2, phase: "select" });
  expect(metrics).toMatchObject({ wearers: { train: ["1"], heldOut: ["2"] }, phase: "select", labels: activityTraining.manifest.labels });
  const without = { recordings: dataset.recordings.filter(({ subject }) => subject !== "3") };
  await expect(run("select-none", { dataset: without, phase: "select" })).rejects.toThrow(/wearers calibrated on \(3\) have no labelled/);
  await expect(run("none", { dataset: without })).rejects.toThrow(/wearers held out \(3\) have no labelled stretch of 128 frames/);
});
