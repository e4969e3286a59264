import { FIXED_KNEE_SHIFT } from "../../assembly/layout.ts";
import type { Random } from "../agent/random.ts";
import type { Recording } from "../agent/recording.ts";
import { CHUNK_PATCHES, INPUT_SCALE, type NetConfig } from "./net-config.ts";

/** How raw counts become the int8 input, and how training disturbs them first. */
export interface FeatureConfig {
  readonly stepCounts: readonly number[]; // (channels,) counts of one int8 step
  readonly kneeSteps?: readonly number[]; // (channels,) int8 steps that are linear, beyond them 16 times coarser; 0 or absent = all
  readonly zeroPointCounts: readonly number[]; // (channels,) counts that become 0: about the mean, so that tilt is not a small signal on a large constant
}

export interface Augmentation {
  readonly channelScale: number; // deviation of a factor around 1, a channel
  readonly noise: number; // deviation, in units of the net's input
  readonly gyroOffset: number; // deviation of a constant added to each channel but the first three, in units of the net's input: a gyroscope's zero drifts
  readonly rotationRadians: readonly [x: number, y: number, z: number]; // deviations of rotations of every triad of channels about each axis; all 0 = none
}

/** One training batch in plain arrays; the shapes are those of NetInput. */
export interface Batch {
  readonly size: number;
  readonly seqLen: number;
  readonly patches: Float32Array; // (B, L, patchFrames·channels)
  readonly target: Float32Array; // (B, L, nClasses): smoothed labels times weight; the weights sum to 1
  readonly upperLogDecay: Float32Array; // (B, L, 1)
  readonly attentionMask: Float32Array; // (B or 1, nChunks, 1, 1, Q, S)
  readonly maskBatch: number;
}

/** Per-frame class of a recording for the loss: 0…nClasses−1, or −1 where nothing is known. */
export type ClassOf = (label: number) => number;

/** Where a training sequence lies: frames from `start`, and from `splice.start` on at patch `splice.patch`, if it is spliced. */
export interface SequenceStart {
  readonly recording: Recording;
  readonly start: number;
  readonly splice?: { readonly patch: number; readonly start: number };
}

export interface BatchOptions {
  readonly config: NetConfig;
  readonly features: FeatureConfig;
  readonly augmentation: Augmentation | undefined;
  readonly labelSmoothing: number;
  readonly classOf: ClassOf;
  readonly weightAt: (patch: number) => number;
  readonly resetProbability: number; // of one reset of the upper blocks somewhere in a sequence
}

const BREAK = -60; // e^−60: nothing of the state survives
const MASKED = -1e4;

/** Cuts sequences of `seqLen` patches, disturbs and quantises them, and makes targets from the label of each patch's last frame. */
export function makeBatch(starts: readonly SequenceStart[], seqLen: number, random: Random, options: BatchOptions): Batch {
  const { config } = options;
  const size = starts.length;
  const perPatch = config.channels * config.patchFrames;
  const patches = new Float32Array(size * seqLen * perPatch);
  const target = new Float32Array(size * seqLen * config.nClasses);
  const upperLogDecay = new Float32Array(size * seqLen);
  const resets = new Int32Array(size);
  let weightSum = 0;
  const frames = new Int16Array(seqLen * perPatch);
  starts.forEach(({ recording, start, splice }, i) => {
    const own = patches.subarray(i * seqLen * perPatch, (i + 1) * seqLen * perPatch);
    const frameOf = (t: number): number =>
      splice && t >= splice.patch ? splice.start + (t - splice.patch) * config.patchFrames : start + t * config.patchFrames;
    for (let t = 0; t < seqLen; t++) {
      const from = frameOf(t) * config.channels;
      frames.set(recording.frames.subarray(from, from + perPatch), t * perPatch);
    }
    quantizeFrames(frames, 0, own, options.features, options.augmentation, random);
    for (let t = 0; t < seqLen; t++) {
      const label = options.classOf(recording.labels[frameOf(t) + config.patchFrames - 1]!);
      if (label < 0) continue;
      const weight = options.weightAt(t);
      weightSum += weight;
      const row = (i * seqLen + t) * config.nClasses;
      for (let c = 0; c < config.nClasses; c++)
        target[row + c] = weight * (options.labelSmoothing / config.nClasses + (c === label ? 1 - options.labelSmoothing : 0));
    }
    if (options.resetProbability > 0 && random.uniform() < options.resetProbability) {
      resets[i] = 1 + random.integer(seqLen - 1);
      upperLogDecay[i * seqLen + resets[i]!] = BREAK;
    }
  });
  if (weightSum > 0) for (let i = 0; i < target.length; i++) target[i]! /= weightSum;
  const windowPatches = config.blocks.find((block) => block.kind === "attention")?.windowPatches ?? CHUNK_PATCHES;
  const attentionMask = bandMask(options.resetProbability > 0 ? resets : new Int32Array(1), seqLen, windowPatches);
  return { size, seqLen, patches, target, upperLogDecay, attentionMask, maskBatch: options.resetProbability > 0 ? size : 1 };
}

/**
 * Additive mask of causal attention over the last W positions, (rows, nChunks, 1, 1, Q, S): S = Q for one chunk, else 2Q
 * (the chunk before, then this one). A row with a reset r > 0 also hides positions before r from those at or after it.
 */
export function bandMask(resets: Int32Array, seqLen: number, windowPatches: number): Float32Array {
  const Q = Math.min(CHUNK_PATCHES, seqLen);
  const chunks = seqLen / Q;
  const S = chunks === 1 ? Q : 2 * Q;
  const mask = new Float32Array(resets.length * chunks * Q * S);
  let at = 0;
  for (const reset of resets)
    for (let chunk = 0; chunk < chunks; chunk++)
      for (let i = 0; i < Q; i++)
        for (let s = 0; s < S; s++, at++) {
          const query = chunk * Q + i;
          const key = chunk * Q + s - (S - Q);
          const seen = key >= 0 && key <= query && query - key < windowPatches && !(key < reset && query >= reset);
          if (!seen) mask[at] = MASKED;
        }
  return mask;
}

/** frames (n, channels) from `start`, as many as fill `out` (frame-major, real units), disturbed, then rounded to int8 · INPUT_SCALE. */
export function quantizeFrames(
  frames: Int16Array,
  start: number,
  out: Float32Array,
  features: FeatureConfig,
  augmentation: Augmentation | undefined,
  random: Random | undefined,
): void {
  const channels = features.stepCounts.length;
  const count = out.length / channels;
  const factor = features.stepCounts.map((step) => (augmentation && random ? 1 + augmentation.channelScale * random.normal() : 1) / step);
  const isRotated = augmentation?.rotationRadians.some((deviation) => deviation > 0);
  const rotation = augmentation && random && isRotated ? randomRotation(augmentation.rotationRadians, random) : undefined;
  const noise = augmentation && random ? augmentation.noise / INPUT_SCALE : 0;
  const offset = features.stepCounts.map(
    (_, c) => (augmentation && random && c >= 3 ? augmentation.gyroOffset * random.normal() : 0) / INPUT_SCALE,
  );
  const frame = new Float64Array(channels);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < channels; c++) frame[c] = frames[(start + i) * channels + c]!;
    if (rotation) for (let triad = 0; triad < channels; triad += 3) rotate(frame, triad, rotation);
    for (let c = 0; c < channels; c++) {
      const steps = (frame[c]! - features.zeroPointCounts[c]!) * factor[c]! + offset[c]! + (noise > 0 ? noise * random!.normal() : 0);
      out[i * channels + c] = Math.max(-128, Math.min(127, compand(Math.floor(steps + 0.5), features.kneeSteps?.[c] ?? 0))) * INPUT_SCALE;
    }
  }
}

/** Steps beyond the knee are 2^FIXED_KNEE_SHIFT times coarser, rounded towards 0. Core: assembly/features/imu.ts. */
export function compand(steps: number, knee: number): number {
  const beyond = Math.abs(steps) - knee;
  return knee === 0 || beyond <= 0 ? steps : Math.sign(steps) * (knee + Math.floor(beyond / 2 ** FIXED_KNEE_SHIFT));
}

/** Rotation matrix (3, 3) of three normal angles, about x, then y, then z. */
function randomRotation(deviations: Augmentation["rotationRadians"], random: Random): Float64Array {
  const [a, b, c] = deviations.map((deviation) => deviation * random.normal()) as [number, number, number];
  const [ca, sa, cb, sb, cc, sc] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b), Math.cos(c), Math.sin(c)];
  return Float64Array.of(
    cb * cc,
    sa * sb * cc - ca * sc,
    ca * sb * cc + sa * sc,
    cb * sc,
    sa * sb * sc + ca * cc,
    ca * sb * sc - sa * cc,
    -sb,
    sa * cb,
    ca * cb,
  );
}

function rotate(frame: Float64Array, at: number, r: Float64Array): void {
  const x = frame[at]!;
  const y = frame[at + 1]!;
  const z = frame[at + 2]!;
  for (let row = 0; row < 3; row++) frame[at + row] = r[row * 3]! * x + r[row * 3 + 1]! * y + r[row * 3 + 2]! * z;
}
