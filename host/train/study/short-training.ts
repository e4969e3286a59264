import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { writeImage } from "../../core/image/image-write.ts";
import { Model } from "../../core/session/model.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { selectRecordings } from "../../data/recording.ts";
import { evaluateStream, evaluateWindows } from "../../eval/evaluate.ts";
import { exitDecisions } from "../../policy/certify/exit-decisions.ts";
import { reliability } from "../../policy/certify/reliability.ts";
import { fitTemperature } from "../../policy/certify/temperature.ts";
import type { Teaching } from "../distill.ts";
import { type ExportOptions, exportNet } from "../export.ts";
import { parameterCount } from "../net-config.ts";
import { computeAccuracy, createNetEvaluator, type NetEvaluator, type ScoredWindows } from "../net-evaluator.ts";
import { type Recipe, type TrainedNet, trainNet } from "../train-net.ts";
import type { AgentTraining } from "../training.ts";
import type { PartWatch, StudyPlan } from "./study.ts";

/** A recipe for comparing: fewer steps, batches half as large. */
export function shortRecipe(recipe: Recipe, steps: number): Recipe {
  const half = (batch: number): number => Math.ceil(batch / 2);
  return { ...recipe, steps, windowBatch: half(recipe.windowBatch), cropBatch: half(recipe.cropBatch) };
}

/** Trains one net on the fit wearers; throws STUDY_INTERRUPTED. */
export async function trainShort(
  { training, dataset, steps }: StudyPlan,
  seed: number,
  { onStep, signal }: PartWatch,
  over: { readonly recipe?: Partial<Recipe>; readonly teaching?: Teaching } = {},
): Promise<TrainedNet> {
  return trainNet({
    config: training.config,
    features: training.features,
    classOf: training.classOf,
    recordings: selectRecordings(dataset, training.split.fit),
    recipe: { ...shortRecipe(training.recipe, steps), ...over.recipe },
    seed,
    ...(over.teaching ? { teaching: over.teaching } : {}),
    async onStep({ step }) {
      onStep?.(step + 1, steps);
      await new Promise((resolve) => setImmediate(resolve)); // lets a signal in
      if (signal?.aborted)
        throw new ConfigError("STUDY_INTERRUPTED", "stopped: the same command goes on with the parts that are not finished.");
    },
  });
}

/** Accuracies of the select wearers' windows at the last exit. */
export function accuracies({ training, dataset }: StudyPlan, evaluator: NetEvaluator): { window: number; stream: number } {
  const heldOut = selectRecordings(dataset, training.split.select);
  const last = training.config.exits.length - 1;
  return { window: computeAccuracy(evaluator.windows(heldOut), last), stream: computeAccuracy(evaluator.stream(heldOut), last) };
}

/** Accuracies of the select wearers' windows at the last exit of the net's image, in the real core. Default: the image as it is shipped. */
export function coreAccuracy(
  { training, dataset }: StudyPlan,
  net: TrainedNet,
  over: Partial<ExportOptions> = {},
): { window: number; stream: number } {
  const model = Model.load(studyImage(training, net, over));
  const options = { users: training.split.select };
  return {
    window: evaluateWindows(model, dataset, options).exits.at(-1)!.accuracy,
    stream: evaluateStream(model, dataset, options).exits.at(-1)!.accuracy,
  };
}

/** A net as a .dmm image that nothing certifies and whose decisions stand alone: for comparing nets in the core, not for shipping. */
export function studyImage(training: AgentTraining, net: TrainedNet, over: Partial<ExportOptions> = {}): Uint8Array {
  const { manifest } = training;
  const { smoothing: _, ...image } = training.image;
  const exits = net.config.exits.map(() => ({ temperature: 1, threshold: EXIT_NEVER }));
  return writeImage(
    exportNet(net, {
      ...image,
      features: training.features,
      exits,
      manifest: {
        name: training.name,
        ...manifest,
        provenance: { ...manifest.provenance, seed: 0 },
        protocol: training.split,
        parameters: parameterCount(net.config),
        metrics: {},
        calibration: exits.map(({ temperature }) => ({ temperature, threshold: EXIT_NEVER / 32768, coverage: 0, errorBound: 1 })),
      },
      ...over,
    }),
  );
}

/**
 * Accuracy on the select wearers at the last exit, and how far its confidence is from it (expected calibration error): as it was trained,
 * and at the temperature that fits the calibrate wearers. The evaluator imitates int8.
 */
export function scoreNet({ training, dataset }: StudyPlan, net: TrainedNet): Record<string, number> {
  const evaluator = createNetEvaluator(net, training.features, true);
  const last = training.config.exits.length - 1;
  const [heldOut, calibrate] = [training.split.select, training.split.calibrate].map((wearers) => selectRecordings(dataset, wearers));
  const [window, stream] = [evaluator.windows(heldOut!), evaluator.stream(heldOut!)];
  const temperature = fitTemperature([evaluator.windows(calibrate!), evaluator.stream(calibrate!)], last);
  return {
    window: computeAccuracy(window, last),
    stream: computeAccuracy(stream, last),
    eceWindow: calibrationError(window, 1),
    eceStream: calibrationError(stream, 1),
    eceWindowScaled: calibrationError(window, temperature),
    eceStreamScaled: calibrationError(stream, temperature),
    temperature,
  };
}

/** Expected calibration error at the last exit. */
export function calibrationError(scored: ScoredWindows, temperature: number): number {
  const { right, confidenceQ15 } = exitDecisions(
    scored,
    scored.logits.map(() => ({ alone: temperature, smoothed: temperature })),
  );
  const confidence = Array.from(confidenceQ15.at(-1)!, (q15) => q15 / 32768);
  return reliability(
    confidence,
    Array.from(right.at(-1)!, (one) => one === 1),
  ).ece;
}
