import { jit, type numpy as np, valueAndGrad } from "@jax-js/jax";
import type { HaptRecording } from "../agent/hapt.ts";
import { createRandom, type Random } from "../agent/random.ts";
import { createAdamW, oneCycle } from "./adamw.ts";
import { type Augmentation, type Batch, type BatchOptions, type ClassOf, type FeatureConfig, makeBatch } from "./batches.ts";
import { type Scales, startJax, upload, uploadBatch, uploadParameters, uploadScales } from "./device-arrays.ts";
import type { Arrays } from "./layers.ts";
import { exitLoss } from "./loss.ts";
import { mixerCount } from "./net.ts";
import { A_MAX, A_MIN, type NetConfig } from "./net-config.ts";
import { blendScales, createObserver } from "./observer.ts";
import { copyParameters, initialParameters, type Parameters } from "./parameters.ts";
import { cropSampler, type Sampler, windowSampler } from "./samplers.ts";

/** Everything that makes a training run, but for the data and the seed. */
export interface Recipe {
  readonly steps: number;
  readonly windowBatch: number; // windows in a window step; 0 = crops alone
  readonly cropBatch: number;
  readonly cropPatches: number;
  readonly peakLearningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly labelSmoothing: number;
  readonly dropout: number;
  readonly augmentation: Augmentation;
  readonly exitWeights: readonly number[];
  readonly transitionShare: number; // of window batches
  readonly resetProbability: number; // of crops
  readonly spliceShare: number; // of crops
  readonly quantizeFromShare: number; // of the steps: float before, int8 imitated after
  readonly averageDecay: number; // exponential average of the weights
}

export interface TrainNetOptions {
  readonly config: NetConfig;
  readonly features: FeatureConfig;
  readonly classOf: ClassOf;
  readonly recordings: readonly HaptRecording[];
  readonly recipe: Recipe;
  readonly seed: number;
  readonly onStep?: (progress: StepProgress) => void;
}

export interface StepProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly isQuantized: boolean;
  /** The weights as they stand, averaged; a copy. */
  snapshot(): TrainedNet;
}

/** A net with the scales of its int8 activations. */
export interface TrainedNet {
  readonly config: NetConfig;
  readonly parameters: Parameters;
  readonly scales: Scales;
  readonly residualMax: number;
}

const observeEvery = 40;
const finalObservations = 8;

/** Trains one net: float first, then int8-imitating, on window batches and crops in turn. The same seed gives the same bits. */
export async function trainNet(options: TrainNetOptions): Promise<TrainedNet> {
  await startJax();
  const { config, recipe } = options;
  const random = createRandom(options.seed);
  const parameters = initialParameters(config, random);
  const average = copyParameters(parameters);
  const optimiser = createAdamW({ weightDecay: recipe.weightDecay, clipNorm: recipe.clipNorm, beta2: 0.999 });
  const observe = createObserver(config);
  const draw = batchDrawer(options, random);
  const gradient = { float: tracedGradient(config, recipe.exitWeights, false), int8: tracedGradient(config, recipe.exitWeights, true) };
  const firstQuantized = Math.floor(recipe.quantizeFromShare * recipe.steps);
  let scales: Scales | undefined;
  let residualMax = 0;
  for (let step = 0; step < recipe.steps; step++) {
    const isQuantized = step >= firstQuantized;
    const isFrozen = step > 0.9 * recipe.steps;
    if (isQuantized && !isFrozen && (step - firstQuantized) % observeEvery === 0) {
      const seen = observe(parameters, draw(false), scales);
      scales = blendScales(scales, seen.scales, 0.5);
      residualMax = Math.max(0.5 * residualMax, seen.residualMax);
    }
    const batch = draw(recipe.windowBatch > 0 && step % 2 === 0);
    const dropout = dropoutMask(config, batch.size, recipe.dropout, random);
    const [loss, gradients] = (isQuantized ? gradient.int8 : gradient.float)(
      uploadParameters(config, parameters),
      uploadScales(isQuantized ? scales! : {}),
      upload(batch.target, [batch.size, batch.seqLen, config.nClasses]),
      dropout,
      ...uploadBatch(config, batch),
    ) as [np.Array, Arrays];
    const read: Parameters = {};
    for (const [name, array] of Object.entries(gradients)) read[name] = array.dataSync() as Float32Array;
    const { learningRate, beta1 } = oneCycle(step, recipe.steps, recipe.peakLearningRate);
    optimiser.step(parameters, read, learningRate, beta1);
    clampDecay(parameters);
    const decay = Math.min(recipe.averageDecay, (1 + step) / (10 + step));
    for (const [name, values] of Object.entries(parameters)) {
      const mean = average[name]!;
      for (let i = 0; i < mean.length; i++) mean[i] = decay * mean[i]! + (1 - decay) * values[i]!;
    }
    const stepScales = scales ?? {};
    const stepResidual = residualMax;
    options.onStep?.({
      step,
      steps: recipe.steps,
      loss: (loss.dataSync() as Float32Array)[0]!,
      isQuantized,
      snapshot: () => ({ config, parameters: copyParameters(average), scales: stepScales, residualMax: stepResidual }),
    });
  }
  for (let i = 0; i < finalObservations; i++) {
    const seen = observe(average, draw(false), scales);
    if (!scales) scales = seen.scales;
    residualMax = Math.max(residualMax, seen.residualMax);
  }
  return { config, parameters: average, scales: scales!, residualMax };
}

/** Window batches and crops of the recipe. */
function batchDrawer(options: TrainNetOptions, random: Random): (isWindow: boolean) => Batch {
  const { config, recipe } = options;
  const windowPatches = 32;
  const windows: Sampler = windowSampler(options.recordings, recipe.transitionShare);
  const crops: Sampler = cropSampler(options.recordings, {
    channels: config.channels,
    patchFrames: config.patchFrames,
    patches: recipe.cropPatches,
    spliceShare: recipe.spliceShare,
  });
  const common: BatchOptions = {
    config,
    features: options.features,
    augmentation: recipe.augmentation,
    labelSmoothing: recipe.labelSmoothing,
    classOf: options.classOf,
    weightAt: (patch) => Math.min(1, (patch + 1) / 16), // the first patches know too little
    resetProbability: recipe.resetProbability,
  };
  const forWindows: BatchOptions = { ...common, weightAt: (patch) => ((patch + 1) / windowPatches) ** 6, resetProbability: 0 };
  return (isWindow) =>
    isWindow
      ? makeBatch(windows(recipe.windowBatch, random), windowPatches, random, forWindows)
      : makeBatch(crops(recipe.cropBatch, random), recipe.cropPatches, random, common);
}

function tracedGradient(config: NetConfig, exitWeights: readonly number[], isQuantized: boolean) {
  return jit(
    valueAndGrad(
      (
        p: Arrays,
        scales: Arrays,
        target: np.Array,
        dropout: np.Array,
        patches: np.Array,
        lower: np.Array,
        upper: np.Array,
        mask: np.Array,
      ): np.Array =>
        exitLoss(config, exitWeights, p, { patches, lowerLogDecay: lower, upperLogDecay: upper, attentionMask: mask, dropout }, target, {
          scales: isQuantized ? scales : undefined,
        }),
    ),
  );
}

/** One draw a sequence and channel, the same at every position: (nMixers, B, 1, dModel). */
function dropoutMask(config: NetConfig, size: number, rate: number, random: Random): np.Array {
  const mask = new Float32Array(mixerCount(config) * size * config.dModel);
  for (let i = 0; i < mask.length; i++) mask[i] = random.uniform() < rate ? 0 : 1 / (1 - rate);
  return upload(mask, [mixerCount(config), size, 1, config.dModel]);
}

/** Keeps A inside its bounds, where its gradient lives. */
function clampDecay(parameters: Parameters): void {
  for (const [name, values] of Object.entries(parameters))
    if (name.endsWith(".logA"))
      for (let i = 0; i < values.length; i++) values[i] = Math.max(Math.log(A_MIN), Math.min(Math.log(A_MAX), values[i]!));
}
