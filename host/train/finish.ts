import { EXIT_NEVER } from "../../assembly/layout.ts";
import { type Dataset, recordingsOf } from "../agent/recording.ts";
import { readImage } from "../core/image-read.ts";
import type { ExitCalibration } from "../core/image-types.ts";
import { writeImage } from "../core/image-write.ts";
import { windowOps } from "../core/reference/op-count.ts";
import { type CalibratedExit, calibrateExits } from "../policy/calibrate-exits.ts";
import { fitTemperature } from "../policy/temperature.ts";
import { exportNet } from "./export.ts";
import { type HeldOutMetrics, heldOutMetrics } from "./metrics.ts";
import { parameterCount } from "./net-config.ts";
import { accuracyOf, createNetEvaluator, type NetEvaluator, type ScoredWindows } from "./net-evaluator.ts";
import type { TrainedNet } from "./train-net.ts";
import { type AgentTraining, type Phase, rolesOf } from "./training.ts";

/** A trained net, calibrated and exported. */
export interface FinishedAgent {
  readonly image: Uint8Array;
  readonly exits: readonly CalibratedExit[];
  readonly heldOut: HeldOutMetrics;
}

/** Calibrates a trained net on the calibrate wearers, scores it on the phase's held-out ones, and writes its image. */
export function finishAgent(training: AgentTraining, dataset: Dataset, seed: number, phase: Phase, net: TrainedNet): FinishedAgent {
  const { split, config } = training;
  const evaluator = createNetEvaluator(net, training.features, true);
  const heldOut = recordingsOf(dataset, rolesOf(split, phase).heldOut);
  const window = evaluator.windows(heldOut);
  const stream = evaluator.stream(heldOut);
  const { exits, windows } = calibrate(training, dataset, evaluator);
  const { guarantee } = training;
  const image = writeImage(
    exportNet(net, {
      ...training.image,
      features: training.features,
      exits: exits.map(({ temperature, thresholdQ15 }) => ({ temperature, threshold: thresholdQ15 })),
      manifest: {
        name: training.name,
        ...training.manifest,
        provenance: { ...training.manifest.provenance, seed },
        protocol: split,
        parameters: parameterCount(config),
        metrics: manifestMetrics(phase === "select" ? "select" : "calibrate", window, stream),
        calibration: exits.map(
          ({ temperature, thresholdQ15, coverage, errorBound }): ExitCalibration => ({
            temperature,
            threshold: thresholdQ15 / 32768,
            coverage,
            errorBound,
          }),
        ),
        ...(guarantee ? { guarantee: { alpha: guarantee.alpha, delta: guarantee.delta, windows, wearers: split.calibrate.length } } : {}),
      },
    }),
  );
  const read = readImage(image);
  const temperatures = exits.map(({ temperature }) => temperature);
  const macs = exits.map((_, k) => windowOps(read, k).macs);
  return { image, exits, heldOut: heldOutMetrics(window, stream, temperatures, macs) };
}

/** Certified thresholds on windows and on streaming decisions; for a teacher temperatures alone, at the end of whole contexts. */
function calibrate(training: AgentTraining, dataset: Dataset, evaluator: NetEvaluator) {
  const { guarantee, image, classOf, config } = training;
  const recordings = recordingsOf(dataset, training.split.calibrate);
  const groups = guarantee
    ? [evaluator.windows(recordings), evaluator.decisions(recordings, image.hopPatches, classOf)]
    : [evaluator.contexts(recordings, image.contextPatches)];
  const exits: CalibratedExit[] = guarantee
    ? calibrateExits(groups, guarantee)
    : config.exits.map((_, k) => ({
        temperature: fitTemperature(groups, k),
        thresholdQ15: EXIT_NEVER,
        coverage: 0,
        errorBound: 1,
        answered: 0,
        wrong: 0,
      }));
  return { exits, windows: groups.reduce((sum, group) => sum + group.labels.length, 0) };
}

function manifestMetrics(group: string, window: ScoredWindows, stream: ScoredWindows): Record<string, number> {
  const metrics: Record<string, number> = {};
  window.logits.forEach((_, k) => {
    metrics[`${group}WindowAccuracyExit${k}`] = Number(accuracyOf(window, k).toFixed(4));
    metrics[`${group}StreamAccuracyExit${k}`] = Number(accuracyOf(stream, k).toFixed(4));
  });
  return metrics;
}
