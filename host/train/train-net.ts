import { jit, type numpy as np, valueAndGrad } from "@jax-js/jax";
import { createRandom, type Random, type RandomState, resumeRandom } from "../core/system/random.ts";
import { countWindowFrames, type Recording } from "../data/recording.ts";
import { type AdamWState, createAdamW, oneCycle } from "./adamw.ts";
import type { Augmentation } from "./augment.ts";
import { type Batch, type BatchOptions, type ClassOf, type FeatureConfig, makeBatch } from "./batches.ts";
import { netInput, startJax, type TracedInput, upload, uploadBatch, uploadParameters, uploadScales } from "./device-arrays.ts";
import { type Teaching, taughtDrawer } from "./distill.ts";
import type { Arrays, Parameters, Scales } from "./layers.ts";
import { exitLoss } from "./loss.ts";
import { mixerCount } from "./net.ts";
import type { NetConfig } from "./net-config.ts";
import { A_MAX, A_MIN } from "./net-constants.ts";
import { blendScales, createObserver } from "./observer.ts";
import { copyParameters, initialParameters } from "./parameters.ts";
import { cropSampler, type Sampler, windowSampler } from "./samplers.ts";

/** Everything that makes a training run, but for the data and the seed. */
export interface Recipe {
  readonly steps: number;
  readonly windowBatch: number; // windows in a window step
  readonly cropBatch: number;
  readonly cropEvery: number; // every so many steps one is of crops; 1 = all, 0 = none
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
  readonly balance?: number; // 0…1: draws windows by 1 / (windows of their label · of their subject)^balance. Default: every window is drawn as often
  readonly quantizeFromShare: number; // of the steps: float before, int8 imitated after
  readonly averageDecay: number; // exponential average of the weights
}

export interface TrainNetOptions {
  readonly config: NetConfig;
  readonly features: FeatureConfig;
  readonly classOf: ClassOf;
  readonly recordings: readonly Recording[];
  readonly recipe: Recipe;
  readonly seed: number;
  /** Undefined: targets are the labels alone. */
  readonly teaching?: Teaching;
  /** Goes on from here instead of from the seed's own start: the result is the same to the last bit. */
  readonly resume?: TrainState;
  /** Called after every step and waited for; what it throws ends the training. */
  readonly onStep?: (progress: StepProgress) => void | Promise<void>;
}

/** All that the next step needs, between two steps. */
export interface TrainState {
  readonly step: number; // steps done
  readonly parameters: Parameters;
  readonly average: Parameters;
  readonly optimiser: AdamWState;
  readonly scales: Scales | null; // null: nothing observed yet
  readonly residualMax: number;
  readonly random: RandomState;
}

export interface StepProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly isQuantized: boolean;
  /** The weights as they stand, averaged; a copy. */
  snapshot(): TrainedNet;
  /** All that the next step needs; a copy. */
  state(): TrainState;
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
const STOCK_SEED = 1000; // apart from the seeds of weights and draws

/** Trains one net: float first, then int8-imitating, on window batches and crops in turn. The same seed gives the same bits. */
export async function trainNet(options: TrainNetOptions): Promise<TrainedNet> {
  await startJax();
  const { config, recipe, resume } = options;
  const random = resume ? resumeRandom(resume.random) : createRandom(options.seed);
  const parameters = resume ? copyParameters(resume.parameters) : initialParameters(config, random);
  const average = copyParameters(resume?.average ?? parameters);
  const optimiser = createAdamW({ weightDecay: recipe.weightDecay, clipNorm: recipe.clipNorm, beta2: 0.999 }, resume?.optimiser);
  const observe = createObserver(config);
  const draw = options.teaching ? taughtBatches(options, options.teaching, random) : batchDrawer(options, random);
  const gradient = { float: tracedGradient(config, recipe.exitWeights, false), int8: tracedGradient(config, recipe.exitWeights, true) };
  const firstQuantized = Math.floor(recipe.quantizeFromShare * recipe.steps);
  let scales: Scales | undefined = resume?.scales ?? undefined;
  let residualMax = resume?.residualMax ?? 0;
  for (let step = resume?.step ?? 0; step < recipe.steps; step++) {
    const isQuantized = step >= firstQuantized;
    const isFrozen = step > 0.9 * recipe.steps;
    if (isQuantized && !isFrozen && (step - firstQuantized) % observeEvery === 0) {
      const seen = observe(parameters, draw(recipe.cropEvery === 0), scales);
      scales = blendScales(scales, seen.scales, 0.5);
      residualMax = Math.max(0.5 * residualMax, seen.residualMax);
    }
    const batch = draw(!isCropStep(recipe, step));
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
    await options.onStep?.({
      step,
      steps: recipe.steps,
      loss: (loss.dataSync() as Float32Array)[0]!,
      learningRate,
      isQuantized,
      snapshot: () => ({ config, parameters: copyParameters(average), scales: stepScales, residualMax: stepResidual }),
      state: () => ({
        step: step + 1,
        parameters: copyParameters(parameters),
        average: copyParameters(average),
        optimiser: optimiser.state(),
        scales: scales ?? null,
        residualMax,
        random: random.state(),
      }),
    });
  }
  for (let i = 0; i < finalObservations; i++) {
    const seen = observe(average, draw(recipe.cropEvery === 0), scales);
    if (!scales) scales = seen.scales;
    residualMax = Math.max(residualMax, seen.residualMax);
  }
  return { config, parameters: average, scales: scales!, residualMax };
}

/** The recipe's batches with soft targets. Their stock depends on the seed alone, so that a resumed training makes the same one. */
function taughtBatches(options: TrainNetOptions, teaching: Teaching, pick: Random): (isWindow: boolean) => Batch {
  const { recipe, config, seed } = options;
  const random = createRandom(seed + STOCK_SEED);
  const kinds = { windows: recipe.cropEvery !== 1, crops: recipe.cropEvery > 0 };
  return taughtDrawer(batchDrawer(options, random), kinds, config.nClasses, teaching, random, pick);
}

/** Window batches and crops of the recipe. */
function batchDrawer(options: TrainNetOptions, random: Random): (isWindow: boolean) => Batch {
  const { config, recipe } = options;
  const windowPatches = countWindowFrames(options.recordings[0] ?? {}) / config.patchFrames;
  const windows: Sampler = windowSampler(options.recordings, recipe.transitionShare, recipe.balance);
  const crops: Sampler = cropSampler(options.recordings, {
    channels: config.channels,
    patchFrames: config.patchFrames,
    patches: recipe.cropPatches,
    spliceShare: recipe.spliceShare,
    balance: recipe.balance,
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

function isCropStep({ cropEvery }: Recipe, step: number): boolean {
  return cropEvery > 0 && step % cropEvery === cropEvery - 1;
}

function tracedGradient(config: NetConfig, exitWeights: readonly number[], isQuantized: boolean) {
  return jit(
    valueAndGrad(
      (p: Arrays, scales: Arrays, target: np.Array, dropout: np.Array, ...input: TracedInput): np.Array =>
        exitLoss(config, exitWeights, p, { ...netInput(input), dropout }, target, { scales: isQuantized ? scales : undefined }),
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
