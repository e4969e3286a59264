import { EXIT_NEVER, FIXED_A_MIN, FIXED_SWAY_FRAMES } from "../../assembly/layout.ts";
import { toFixedScale } from "../../host/core/arithmetic/fixed-point.ts";
import { statisticsCount } from "../../host/core/arithmetic/lda.ts";
import type { AttentionBlock, Block, Exit, Lda, ModelImage, Smoothing, SsmBlock } from "../../host/core/image/image-types.ts";
import { IMU_CHANNELS } from "../../host/core/image/imu-channels.ts";
import { seeded } from "../support/random.ts";
import { ACTIVATION_RMS, NORM_RMS, type Random, randomLinear, siluTable } from "./random-tensors.ts";

/** What of a random image is given; the rest follows from the seed: small, and often odd. */
export interface RandomImageOptions {
  readonly pattern?: string; // a block a letter: S ssm, A attention
  readonly exitsAfter?: readonly number[];
  readonly dModel?: number;
  readonly channels?: number;
  readonly patchFrames?: number;
  readonly nClasses?: number;
  readonly windowPatches?: number;
  readonly hopPatches?: number;
  readonly contextPatches?: number;
  readonly ringPatches?: number;
  readonly gapLimitFrames?: number;
  readonly smoothing?: boolean; // whether decisions are smoothed
  readonly lda?: boolean; // whether a window's statistics are weighed
  readonly temperature?: number; // of every exit; 0.01 makes nearly every answer certain (confidence 32768)
  readonly ssm?: Partial<Pick<SsmBlock, "nHeads" | "headDim" | "dState" | "dConv">>;
  readonly attention?: Partial<Pick<AttentionBlock, "nHeads" | "nKvHeads" | "headDim" | "windowPatches" | "dMlp">>;
}

const RESIDUAL_RMS = 1000; // after the embedding, in residual counts
const ADDED_RMS = 400; // by a block
const Y_RMS = 2000; // of the scan's output

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

function integer(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function randomSsm(random: Random, dModel: number, options: RandomImageOptions): SsmBlock {
  const dims = {
    nHeads: 2,
    headDim: pick(random, [16, 16, 7, 5]),
    dState: integer(random, 4, 8),
    dConv: integer(random, 1, 4),
    ...options.ssm,
  };
  const dInner = dims.nHeads * dims.headDim;
  const { dState, dConv } = dims;
  const wide = 2 * dInner + 2 * dState;
  const scanShift = 7 + Math.ceil(Math.log2(dState)) + integer(random, 0, 2);
  // A state of 2^20 is what dt 0.2 and decays of a few patches give.
  const sumRms = 2 ** (20 - scanShift) * ACTIVATION_RMS * Math.sqrt(dState);
  const conv = randomLinear(random, dConv, dInner, ACTIVATION_RMS, () => ACTIVATION_RMS); // rows of taps, a channel each
  return {
    kind: "ssm",
    ...dims,
    dInner,
    epsilon: integer(random, 1, 2000),
    gateEpsilon: integer(random, 1, 2000),
    scanShift,
    inProj: randomLinear(
      random,
      dModel,
      wide + dims.nHeads,
      NORM_RMS,
      (row) => (row < wide ? ACTIVATION_RMS : 4096),
      (row) => (row < wide ? 0 : -6144),
    ),
    outProj: randomLinear(random, dInner, dModel, NORM_RMS, () => ADDED_RMS),
    convWeights: Int8Array.from({ length: dConv * dInner }, (_, i) => conv.weights[(i % dInner) * dConv + Math.floor(i / dInner)]!),
    convBias: conv.bias,
    convMultiplier: conv.multiplier,
    convShift: conv.shift,
    siluX: siluTable(16),
    siluZ: siluTable(16),
    a: Int32Array.from({ length: dims.nHeads }, () => FIXED_A_MIN + Math.floor(random() ** 2 * 20000)),
    d: Int32Array.from({ length: dims.nHeads }, () => Math.round(((random() - 0.5) * 2 * sumRms) / ACTIVATION_RMS)),
    y: toFixedScale(Y_RMS / sumRms),
  };
}

function randomAttention(random: Random, dModel: number, options: RandomImageOptions): AttentionBlock {
  const nHeads = pick(random, [2, 4]);
  const dims = {
    nHeads,
    nKvHeads: pick(random, [1, 2]),
    headDim: pick(random, [8, 8, 5]),
    windowPatches: integer(random, 3, 9),
    dMlp: pick(random, [24, 17]),
    ...options.attention,
  };
  const { headDim } = dims;
  const s8 = (): number => ACTIVATION_RMS;
  const added = (): number => ADDED_RMS;
  return {
    kind: "attention",
    ...dims,
    epsilon: integer(random, 1, 2000),
    mlpEpsilon: integer(random, 1, 2000),
    score: toFixedScale((1.2 * 65536) / (ACTIVATION_RMS ** 2 * Math.sqrt(headDim))),
    qkv: randomLinear(random, dModel, (dims.nHeads + 2 * dims.nKvHeads) * headDim, NORM_RMS, s8),
    oProj: randomLinear(random, dims.nHeads * headDim, dModel, ACTIVATION_RMS, added),
    gateUp: randomLinear(random, dModel, 2 * dims.dMlp, NORM_RMS, s8),
    down: randomLinear(random, dims.dMlp, dModel, ACTIVATION_RMS, added),
    silu: siluTable(16),
    out: toFixedScale(2 / 32768), // Σp = 32768, and the mean of v's halves their RMS
    mlp: toFixedScale(1 / 16),
  };
}

/** Costs of up to three nats: some hops of random logits are outvoted, and others not. */
function randomSmoothing(random: Random, nClasses: number): Smoothing {
  const transitionCosts = Int32Array.from({ length: nClasses ** 2 }, (_, i) => (i % (nClasses + 1) === 0 ? 0 : integer(random, 0, 3072)));
  return { shift: integer(random, 0, 3), transitionCosts };
}

/** Weights of either sign: what they add to a logit is of a logit's size. */
function randomLda(random: Random, channels: number, nClasses: number): Lda {
  const n = statisticsCount(channels);
  return {
    means: Int32Array.from({ length: n }, () => integer(random, -300, 2500)),
    limits: Int32Array.from({ length: n }, () => integer(random, 0, 1500)),
    weights: Int16Array.from({ length: n * nClasses }, () => integer(random, -2500, 2500)),
    bias: Int32Array.from({ length: nClasses }, () => integer(random, -5_000_000, 5_000_000)),
    shift: integer(random, 14, 16),
  };
}

/** A small valid image from a seed: activations neither saturate nor vanish, some rows are zero, some shift to the left. */
export function randomImage(seed: number, options: RandomImageOptions = {}): ModelImage {
  const random = seeded(seed);
  const dims = {
    dModel: options.dModel ?? pick(random, [16, 16, 13, 20]),
    channels: options.channels ?? integer(random, 3, 6),
    patchFrames: options.patchFrames ?? integer(random, 2, 4),
    windowPatches: options.windowPatches ?? integer(random, 4, 8),
    hopPatches: options.hopPatches ?? integer(random, 1, 6),
    ringPatches: options.ringPatches ?? integer(random, 2, 8),
    nClasses: options.nClasses ?? integer(random, 2, 9),
    gapLimitFrames: options.gapLimitFrames ?? integer(random, 0, 12),
  };
  const { dModel, channels, patchFrames, nClasses } = dims;
  const pattern = options.pattern ?? pick(random, ["S", "SA", "AS", "SSA", "SSAS"]);
  const last = pattern.length - 1;
  const exitsAfter = options.exitsAfter ?? [...Array(last).keys()].filter(() => random() < 0.7).concat(last);
  const blocks = [...pattern].map(
    (kind): Block => (kind === "S" ? randomSsm(random, dModel, options) : randomAttention(random, dModel, options)),
  );
  const isSmoothed = options.smoothing ?? random() < 0.5;
  const exits = exitsAfter.map((afterBlock): Exit => {
    const drawn = 0.7 + random();
    const temperature = options.temperature ?? drawn;
    return {
      afterBlock,
      epsilon: integer(random, 1, 2000),
      head: randomLinear(random, dModel, nClasses, NORM_RMS, () => 1500),
      temperature: toFixedScale((64 * Math.LOG2E) / temperature),
      ...(isSmoothed && { smoothedTemperature: toFixedScale((64 * Math.LOG2E) / (1.4 * temperature)) }),
      threshold: random() < 0.1 ? EXIT_NEVER : integer(random, 8000, 30000),
    };
  });
  const frameRateMillihertz = 50_000;
  const image: ModelImage = {
    ...dims,
    frameRateMillihertz,
    contextPatches: options.contextPatches ?? dims.windowPatches + integer(random, 0, 5),
    embed: randomLinear(random, channels * patchFrames, dModel, 50, () => RESIDUAL_RMS),
    features: Array.from({ length: channels }, () => ({
      zeroPoint: integer(random, -200, 200),
      ...toFixedScale(1 / integer(random, 16, 64)),
      knee: random() < 0.5 ? 0 : integer(random, 1, 127),
    })),
    blocks,
    exits,
    ...(isSmoothed && { smoothing: randomSmoothing(random, nClasses) }),
    manifest: {
      name: `random-${seed}`,
      labels: Array.from({ length: nClasses }, (_, i) => `class-${i}`),
      channels: Array.from({ length: channels }, (_, i) => ({ name: `c${i}`, unit: "g", countsPerUnit: 2048 })),
      frameRateHz: frameRateMillihertz / 1000,
      orientation: "none: random weights",
      provenance: { data: "none", licence: "Apache-2.0", trainedWith: "test/golden/random-image.ts", seed },
      protocol: { fit: [1, 2], select: [3], calibrate: [4], test: [5] },
      parameters: 0,
      metrics: { accuracy: 0.5 },
      calibration: [],
    },
  };
  const hasRoom = dims.windowPatches * patchFrames >= 2 * FIXED_SWAY_FRAMES;
  const isWeighed = options.lda ?? (hasRoom && random() < 0.5);
  return isWeighed ? { ...image, lda: randomLda(random, channels, nClasses) } : image;
}

/** A random image in the shape of the activity agent's model: S S A S, an exit after each block. */
export function activityShaped(seed: number, smoothing = true): ModelImage {
  const image = randomImage(seed, {
    pattern: "SSAS",
    exitsAfter: [0, 1, 2, 3],
    dModel: 32,
    channels: 6,
    patchFrames: 4,
    nClasses: 7,
    windowPatches: 32,
    hopPatches: 16,
    contextPatches: 128,
    ringPatches: 32,
    gapLimitFrames: 10,
    smoothing,
    lda: smoothing,
    ssm: { nHeads: 4, headDim: 16, dState: 8, dConv: 4 },
    attention: { nHeads: 4, nKvHeads: 2, headDim: 8, windowPatches: 32, dMlp: 64 },
  });
  return { ...image, manifest: { ...image.manifest, channels: IMU_CHANNELS } };
}
