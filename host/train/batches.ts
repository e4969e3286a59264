import { FIXED_KNEE_SHIFT } from "../../assembly/layout.ts";
import type { Random } from "../core/system/random.ts";
import type { Recording } from "../data/recording.ts";
import { type Augmentation, type Disturbance, drawDisturbance, drawPace, dropSensors, rotateFrame } from "./augment.ts";
import { type NetConfig, reachPatches } from "./net-config.ts";
import { CHUNK_PATCHES, INPUT_SCALE } from "./net-constants.ts";

/** How raw counts become the int8 input, and how training disturbs them first. */
export interface FeatureConfig {
  readonly stepCounts: readonly number[]; // (channels,) counts of one int8 step
  readonly kneeSteps?: readonly number[]; // (channels,) int8 steps that are linear, beyond them 16 times coarser; 0 or absent = all
  readonly zeroPointCounts: readonly number[]; // (channels,) counts that become 0: about the mean, so that tilt is not a small signal on a large constant
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
  const frames = new Float64Array(seqLen * perPatch);
  starts.forEach((from, i) => {
    const own = patches.subarray(i * seqLen * perPatch, (i + 1) * seqLen * perPatch);
    const pace = options.augmentation && !from.splice ? drawPace(options.augmentation, random) : 1;
    const frameAt = sourceFrames(from, seqLen * config.patchFrames, config.patchFrames, pace);
    readFrames(from.recording, frameAt, pace, config.channels, frames);
    if (options.augmentation) dropSensors(frames, config.channels, options.augmentation, random);
    const disturbance = options.augmentation && drawDisturbance(config.channels, options.augmentation, random);
    quantizeFrames(frames, 0, own, options.features, disturbance && { ...disturbance, random });
    for (let t = 0; t < seqLen; t++) {
      const label = options.classOf(from.recording.labels[Math.round(frameAt((t + 1) * config.patchFrames - 1))]!);
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
  const windowPatches = reachPatches(config);
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

/** Where in the recording frame i of a sequence lies: its last frame stays where it is, the others move with the pace. */
function sourceFrames(
  { recording, start, splice }: SequenceStart,
  frames: number,
  patchFrames: number,
  pace: number,
): (i: number) => number {
  const last = start + frames - 1;
  const end = recording.labels.length - 1;
  const before = (splice?.patch ?? 0) * patchFrames;
  if (splice) return (i) => (i >= before ? splice.start + i - before : start + i);
  return (i) => Math.max(0, Math.min(end, last - (frames - 1 - i) * pace));
}

/** Frames (n, channels) at `frameAt`, between two frames by straight lines; at another pace, what turns turns as much faster. */
function readFrames({ frames }: Recording, frameAt: (i: number) => number, pace: number, channels: number, out: Float64Array): void {
  for (let i = 0; i * channels < out.length; i++) {
    const at = frameAt(i);
    const below = Math.floor(at);
    const part = at - below;
    const above = part > 0 ? below + 1 : below;
    for (let c = 0; c < channels; c++) {
      const value = (1 - part) * frames[below * channels + c]! + part * frames[above * channels + c]!;
      out[i * channels + c] = c >= 3 ? value * pace : value;
    }
  }
}

/** frames (n, channels) from `start`, as many as fill `out` (frame-major), disturbed, then as the core's int8 features · INPUT_SCALE. */
export function quantizeFrames(
  frames: Int16Array | Float64Array,
  start: number,
  out: Float32Array,
  { stepCounts, zeroPointCounts, kneeSteps }: FeatureConfig,
  disturbance?: Disturbance & { readonly random: Random },
): void {
  const channels = stepCounts.length;
  const factor = stepCounts.map((step, c) => (disturbance?.factor[c] ?? 1) / step);
  const { rotation, noise = 0, random } = disturbance ?? {};
  const frame = new Float64Array(channels);
  for (let i = 0, at = start * channels; i < out.length; i += channels, at += channels) {
    for (let c = 0; c < channels; c++) frame[c] = frames[at + c]!;
    if (rotation) rotateFrame(frame, rotation);
    for (let c = 0; c < channels; c++) {
      const drawn = random && noise > 0 ? noise * random.normal() : 0;
      const steps = (frame[c]! - zeroPointCounts[c]!) * factor[c]! + (disturbance?.offset[c] ?? 0) + drawn;
      out[i + c] = Math.max(-128, Math.min(127, compand(Math.floor(steps + 0.5), kneeSteps?.[c] ?? 0))) * INPUT_SCALE;
    }
  }
}

/** Steps beyond the knee are 2^FIXED_KNEE_SHIFT times coarser, rounded towards 0. Core: assembly/features/imu.ts. */
export function compand(steps: number, knee: number): number {
  const beyond = Math.abs(steps) - knee;
  return knee === 0 || beyond <= 0 ? steps : Math.sign(steps) * (knee + Math.floor(beyond / 2 ** FIXED_KNEE_SHIFT));
}
