import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT_NEVER } from "../../assembly/layout.ts";
import { type HaptDataset, recordingsOf } from "../agent/hapt.ts";
import { ConfigError } from "../core/errors.ts";
import type { Manifest } from "../core/image-types.ts";
import { writeImage } from "../core/image-write.ts";
import type { ClassOf, FeatureConfig } from "./batches.ts";
import { type CalibratedExit, type CalibrateOptions, calibrateExits, fitTemperature } from "./calibrate.ts";
import { type ExportOptions, exportNet } from "./export.ts";
import { writeFloatModel } from "./float-forward.ts";
import { type NetConfig, parameterCount } from "./net-config.ts";
import { accuracyOf, createNetEvaluator } from "./net-evaluator.ts";
import { type Recipe, type TrainedNet, trainNet } from "./train-net.ts";

/** Wearers by what they are used for; the lists share nobody. */
export interface Split {
  readonly fit: readonly number[];
  readonly select: readonly number[];
  readonly calibrate: readonly number[];
  readonly test: readonly number[];
}

/** All that an agent's training is, but for data and seed. */
export interface AgentTraining {
  readonly name: string;
  readonly config: NetConfig;
  readonly features: FeatureConfig;
  readonly recipe: Recipe;
  readonly classOf: ClassOf;
  readonly split: Split;
  readonly image: Omit<ExportOptions, "features" | "exits" | "manifest">;
  readonly manifest: Pick<Manifest, "labels" | "channels" | "frameRateHz" | "orientation"> & {
    readonly provenance: Omit<Manifest["provenance"], "seed">;
  };
  /** Undefined: temperatures alone, at the end of whole contexts; no exit may answer by itself (a teacher). */
  readonly guarantee: CalibrateOptions | undefined;
}

export interface TrainRun {
  readonly dataset: HaptDataset;
  readonly seed: number;
  /** Multiples of `stepsPerEpoch` steps. Default: the recipe's. */
  readonly epochs?: number;
  /** "select": train on the fit wearers, score on the select wearers; "final": train on both. Default: final. */
  readonly phase?: "select" | "final";
  /** Folder for model.dmm, model.safetensors, checkpoint.safetensors and progress.jsonl; made if it is not there. */
  readonly outDir: string;
  readonly onProgress?: (progress: TrainProgress) => void;
}

export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number; // mean since the report before
  readonly seconds: number;
}

export interface TrainReport {
  readonly seed: number;
  readonly net: TrainedNet;
  readonly image: Uint8Array;
  readonly exits: readonly CalibratedExit[];
  /** Accuracy by exit on the held-out wearers: select ones in phase "select", calibrate ones in phase "final". */
  readonly heldOut: { readonly users: readonly number[]; readonly window: readonly number[]; readonly stream: readonly number[] };
  readonly files: readonly string[];
}

/** Steps that count as one epoch: about one pass of window batches over the published training windows, and as many crop steps. */
export const stepsPerEpoch = 100;
const reportEverySteps = 50;

/** Trains, calibrates and exports one net. Test wearers are not touched. */
export async function trainAgent(training: AgentTraining, run: TrainRun): Promise<TrainReport> {
  checkSplit(training.split);
  const phase = run.phase ?? "final";
  const { split, config, features } = training;
  const recipe: Recipe = run.epochs === undefined ? training.recipe : { ...training.recipe, steps: run.epochs * stepsPerEpoch };
  const trainUsers = phase === "final" ? [...split.fit, ...split.select] : split.fit;
  mkdirSync(run.outDir, { recursive: true });
  const began = performance.now();
  let sum = 0;
  let count = 0;
  const net = await trainNet({
    config,
    features,
    classOf: training.classOf,
    recordings: recordingsOf(run.dataset, trainUsers),
    recipe,
    seed: run.seed,
    onStep({ step, steps, loss, snapshot }) {
      sum += loss;
      count++;
      if ((step + 1) % reportEverySteps !== 0 && step + 1 !== steps) return;
      const progress = { step: step + 1, steps, loss: sum / count, seconds: (performance.now() - began) / 1000 };
      appendFileSync(join(run.outDir, "progress.jsonl"), `${JSON.stringify(progress)}\n`);
      writeFileSync(join(run.outDir, "checkpoint.safetensors"), writeFloatModel({ config, features, parameters: snapshot().parameters }));
      run.onProgress?.(progress);
      sum = 0;
      count = 0;
    },
  });
  return finishAgent(training, run, net);
}

/** Calibrates and exports a net that is already trained. */
export function finishAgent(training: AgentTraining, run: TrainRun, net: TrainedNet): TrainReport {
  const { split, config, features } = training;
  const heldOutUsers = run.phase === "select" ? split.select : split.calibrate;
  const heldOut = recordingsOf(run.dataset, heldOutUsers);
  const evaluator = createNetEvaluator(net, features, true);
  const window = evaluator.windows(heldOut);
  const stream = evaluator.stream(heldOut);
  const exitIndices = config.exits.map((_, k) => k);
  const calibrate = recordingsOf(run.dataset, split.calibrate);
  const { guarantee } = training;
  const groups = guarantee
    ? [evaluator.windows(calibrate), evaluator.decisions(calibrate, training.image.hopPatches, training.classOf)]
    : [evaluator.contexts(calibrate, training.image.contextPatches)];
  const exits: CalibratedExit[] = guarantee
    ? calibrateExits(groups, guarantee)
    : exitIndices.map((k) => ({
        temperature: fitTemperature(groups, k),
        thresholdQ15: EXIT_NEVER,
        coverage: 0,
        errorBound: 1,
        answered: 0,
        wrong: 0,
      }));
  const windows = groups.reduce((sum, group) => sum + group.labels.length, 0);
  const image = writeImage(
    exportNet(net, {
      ...training.image,
      features,
      exits: exits.map(({ temperature, thresholdQ15 }) => ({ temperature, threshold: thresholdQ15 })),
      manifest: {
        name: training.name,
        ...training.manifest,
        provenance: { ...training.manifest.provenance, seed: run.seed },
        protocol: split,
        parameters: parameterCount(config),
        metrics: metricsOf(exitIndices, run.phase === "select" ? "select" : "calibrate", window, stream),
        calibration: exits.map(({ temperature, thresholdQ15, coverage, errorBound }) => ({
          temperature,
          threshold: thresholdQ15 / 32768,
          coverage,
          errorBound,
        })),
        ...(guarantee ? { guarantee: { alpha: guarantee.alpha, delta: guarantee.delta, windows, wearers: split.calibrate.length } } : {}),
      },
    }),
  );
  const files = [join(run.outDir, "model.dmm"), join(run.outDir, "model.safetensors")];
  mkdirSync(run.outDir, { recursive: true });
  writeFileSync(files[0]!, image);
  writeFileSync(files[1]!, writeFloatModel({ config, features, parameters: net.parameters }));
  const accuracies = (scored: typeof window): number[] => exitIndices.map((k) => accuracyOf(scored, k));
  return {
    seed: run.seed,
    net,
    image,
    exits,
    heldOut: { users: heldOutUsers, window: accuracies(window), stream: accuracies(stream) },
    files,
  };
}

function metricsOf(
  exits: readonly number[],
  group: string,
  window: Parameters<typeof accuracyOf>[0],
  stream: Parameters<typeof accuracyOf>[0],
): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const k of exits) {
    metrics[`${group}WindowAccuracyExit${k}`] = Number(accuracyOf(window, k).toFixed(4));
    metrics[`${group}StreamAccuracyExit${k}`] = Number(accuracyOf(stream, k).toFixed(4));
  }
  return metrics;
}

function checkSplit(split: Split): void {
  const all = [...split.fit, ...split.select, ...split.calibrate, ...split.test];
  const twice = all.find((user, i) => all.indexOf(user) !== i);
  if (twice !== undefined)
    throw new ConfigError(
      "SPLIT_OVERLAPS",
      `wearer ${twice} is in two lists of the split. Each may be in one of fit, select, calibrate and test.`,
    );
}
