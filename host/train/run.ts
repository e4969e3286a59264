import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../core/system/clock.ts";
import { ConfigError, DataError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import { countWindowFrames, type Dataset, scoredWindows, selectRecordings } from "../data/recording.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { Teaching } from "./distill.ts";
import { computeFingerprint } from "./fingerprint.ts";
import { type FinishedAgent, finishAgent } from "./finish.ts";
import { writeFloatModel } from "./float-forward.ts";
import type { RunMetrics } from "./metrics.ts";
import { reportHtml } from "./report/report.ts";
import { keepProgressUpTo, openRunFolder, type RunFolder, type TrainProgress } from "./run-folder.ts";
import { type StepProgress, type TrainNetOptions, trainNet } from "./train-net.ts";
import { type AgentTraining, assignRoles, checkSplit, type Phase } from "./training.ts";
import { createValidation } from "./validation.ts";

export interface TrainRun {
  readonly dataset: Dataset;
  readonly seed: number;
  /** Default: the recipe's. */
  readonly steps?: number;
  /** Default: final. */
  readonly phase?: Phase;
  /** Folder of this seed's run; made if it is not there. A checkpoint in it is gone on from. */
  readonly outDir: string;
  /** What a training with an ensemble learns from. */
  readonly teaching?: Teaching;
  /** Forgets what is in the folder. */
  readonly isFresh?: boolean;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Called after the steps between two lines of progress. */
  readonly onStep?: (progress: TrainProgress) => void;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Ends the training after the step in hand, with a checkpoint. */
  readonly signal?: AbortSignal;
}

export interface TrainReport extends Omit<FinishedAgent, "heldOut" | "comparison"> {
  readonly metrics: RunMetrics;
  readonly folder: RunFolder;
}

/** Steps between two lines of progress.jsonl, each with a checkpoint: 50, in a short run fewer. */
function reportEvery(steps: number): number {
  return Math.max(1, Math.min(50, Math.floor(steps / 20)));
}

/** True where the held-out wearers are looked at after `done` steps, one of the report lines: every 200, in a short run more often. */
function isLook(done: number, steps: number): boolean {
  const every = Math.max(1, Math.min(200, Math.floor(steps / 5)));
  return done === steps || Math.floor(done / every) > Math.floor((done - reportEvery(steps)) / every);
}

/**
 * Trains, calibrates and exports one net into a run folder. Killed at any moment, the same call goes on from the last checkpoint and ends
 * with the same bits. Test wearers are not touched.
 */
export async function trainAgent(training: AgentTraining, run: TrainRun): Promise<TrainReport> {
  checkSplit(training.split);
  const { config, features, split } = training;
  const { seed, dataset, clock = systemClock, phase = "final" } = run;
  const roles = assignRoles(split, phase);
  checkWindows(dataset, roles.train, "trained on");
  checkWindows(dataset, roles.heldOut, "held out");
  checkWindows(dataset, split.calibrate, "calibrated on");
  const options = netOptions(training, { ...run, phase });
  const { recipe } = options;
  const fingerprint = computeFingerprint(options);
  const folder = openRunFolder(run.outDir, run.isFresh ?? false);
  const bytes = folder.checkpoint();
  const from = bytes && readCheckpoint(bytes, config, fingerprint, folder.path("checkpoint"));
  keepProgressUpTo(folder, from?.state.step ?? 0);
  folder.write("config", configText(training, { seed, phase, recipe, fingerprint }));
  const validate = createValidation(selectRecordings(dataset, roles.heldOut), features);
  const began = clock.now();
  const seconds = (): number => (from?.seconds ?? 0) + (clock.now() - began) / 1000;
  let losses = [...(from?.losses ?? [])]; // since the last progress line
  const save = (progress: StepProgress): void =>
    folder.write("checkpoint", writeCheckpoint(config, { fingerprint, state: progress.state(), seconds: seconds(), losses }));
  const net = await trainNet({
    ...options,
    ...(from ? { resume: from.state } : {}),
    async onStep(progress) {
      const { step, steps, loss, learningRate, isQuantized } = progress;
      const done = step + 1;
      if (!Number.isFinite(loss)) throw diverged(done, steps, loss);
      losses.push(loss);
      const meanLoss = losses.reduce((sum, value) => sum + value, 0) / losses.length;
      const now = { step: done, steps, loss: meanLoss, learningRate, seconds: seconds() };
      if (done % reportEvery(steps) !== 0 && done !== steps) run.onStep?.(now);
      else {
        const accuracy = isLook(done, steps) ? validate(progress.snapshot(), isQuantized) : undefined;
        const line = { ...now, accuracy };
        losses = [];
        folder.append(line);
        save(progress);
        run.onProgress?.(line);
      }
      await new Promise((resolve) => setImmediate(resolve)); // lets a signal in
      if (!run.signal?.aborted || done === steps) return;
      save(progress);
      throw interrupted(done, steps, run.outDir);
    },
  });
  const { heldOut, comparison, ...finished } = finishAgent(training, dataset, seed, phase, net);
  folder.write("image", finished.image);
  if (finished.prior) folder.write("prior", finished.prior);
  folder.write("weights", writeFloatModel({ config, features, parameters: finished.weights }));
  const metrics: RunMetrics = {
    agent: training.name,
    seed,
    phase,
    steps: recipe.steps,
    seconds: Math.round(seconds()),
    parameters: finished.parameters,
    imageBytes: finished.image.length,
    labels: training.manifest.labels,
    wearers: { train: roles.train, heldOut: roles.heldOut },
    exits: finished.exits,
    ...(finished.certification && { certification: finished.certification }),
    heldOut,
    ...(comparison && { comparison }),
  };
  folder.write("metrics", `${JSON.stringify(metrics, undefined, 1)}\n`);
  folder.write("report", reportHtml(metrics, folder.progress()));
  return { ...finished, metrics, folder };
}

/** What a run trains on, and how. */
export function netOptions(
  { config, features, classOf, recipe, split }: AgentTraining,
  { dataset, seed, steps, phase = "final", teaching }: Pick<TrainRun, "dataset" | "seed" | "steps" | "phase" | "teaching">,
): TrainNetOptions {
  return {
    ...{ config, features, classOf, seed },
    recordings: selectRecordings(dataset, assignRoles(split, phase).train),
    recipe: steps === undefined ? recipe : { ...recipe, steps },
    ...(teaching ? { teaching } : {}),
  };
}

function checkWindows(dataset: Dataset, subjects: readonly string[], use: string): void {
  if (selectRecordings(dataset, subjects).some((recording) => scoredWindows(recording).length > 0)) return;
  throw new DataError(
    "NO_WINDOWS",
    `the wearers ${use} (${subjects.join(", ") || "none"}) have no labelled stretch of ${countWindowFrames(dataset.recordings[0] ?? {})} frames: give the whole data set, or longer labelled recordings of them.`,
  );
}

function interrupted(step: number, steps: number, dir: string): ConfigError {
  return new ConfigError(
    "TRAIN_INTERRUPTED",
    `stopped after step ${step} of ${steps}; ${dir} keeps it: the same command goes on from there.`,
  );
}

function diverged(step: number, steps: number, loss: number): DataError {
  return new DataError(
    "TRAIN_DIVERGED",
    `the loss of step ${step} of ${steps} is ${loss}: no net comes of this. Look for wrong values in the recordings, or train with another --seed.`,
  );
}

/** config.json: all that made the run, for people and for comparing runs. */
function configText(training: AgentTraining, run: Record<string, unknown>): string {
  const { classOf: _, recipe: __, ...rest } = training; // the run's recipe may have other steps
  const text = readFileSync(join(packageRoot(), "package.json"), "utf8");
  const { dependencies, version } = JSON.parse(text) as { version: string; dependencies: Record<string, string> };
  return `${JSON.stringify({ dormouse: version, jax: dependencies["@jax-js/jax"], node: process.version, ...run, ...rest }, undefined, 1)}\n`;
}
