import { jit, type numpy as np } from "@jax-js/jax";
import { clampS16 } from "../core/arithmetic/fixed-point.ts";
import { LabelSmoother } from "../core/arithmetic/smoothing.ts";
import type { Lda, Smoothing } from "../core/image/image-types.ts";
import { countWindowFrames, LONGEST_RECORDING_PATCHES, type Recording, scoredWindows, streamPatch } from "../data/recording.ts";
import { type HopLogits, LOGIT_ONE } from "../policy/certify/replay.ts";
import { largest } from "../policy/certify/softmax.ts";
import { type ClassOf, type FeatureConfig, quantizeFrames } from "./batches.ts";
import { netInput, type TracedInput, uploadParameters, uploadScales, uploadSequences } from "./device-arrays.ts";
import { addLdaToExits, computeFrameLdaLogits } from "./fit-lda.ts";
import type { Arrays } from "./layers.ts";
import { forward } from "./net.ts";
import type { TrainedNet } from "./train-net.ts";

/** Logits of every exit for scored windows, and what was right. */
export interface ScoredWindows {
  readonly labels: Uint8Array; // class of each window
  readonly logits: readonly Float32Array[]; // per exit (nWindows, nClasses)
  readonly scores?: readonly Float32Array[]; // what the decisions before make of them, where they weigh
  readonly subjects: readonly string[];
}

/** Runs the traced net as the core would (int8 imitated, or float): for choosing recipes and calibrating, not for reporting. */
export interface NetEvaluator {
  windows(recordings: readonly Recording[]): ScoredWindows;
  /** Published windows of whole recordings; `smoothing`: each exit decides after every patch. */
  stream(recordings: readonly Recording[], smoothing?: Smoothing): ScoredWindows;
  /** The same for each of several smoothings. */
  streamEach(recordings: readonly Recording[], smoothings: readonly (Smoothing | undefined)[]): ScoredWindows[];
  /** Streaming decisions, one a hop, wherever the frame is labelled: transitions count too. */
  decisions(recordings: readonly Recording[], hopPatches: number, classOf: ClassOf): ScoredWindows;
  /** Every hop of each recording, labelled or not. */
  hops(recordings: readonly Recording[], hopPatches: number, classOf: ClassOf): HopLogits[][];
  /** Published windows with the patches before them, `contextPatches` in all (fewer at a recording's start are left out): what a teacher reads. */
  contexts(recordings: readonly Recording[], contextPatches: number): ScoredWindows;
  sequences(patches: Float32Array, seqLen: number): Float32Array[]; // per exit (B, seqLen, nClasses)
}

const windowBatch = 128;
/** Lengths that whole recordings are padded to, in patches: few, since a jit compiles anew for each. */
const sequenceLengths = [512, 2048, 5376, LONGEST_RECORDING_PATCHES];

/** `lda`: added to each patch's logits, from the window before it, as in the core. */
export function createNetEvaluator(net: TrainedNet, features: FeatureConfig, isQuantized: boolean, lda?: Lda): NetEvaluator {
  const { config } = net;
  const perPatch = config.channels * config.patchFrames;
  const run = jit((p: Arrays, scales: Arrays, ...input: TracedInput): np.Array[] =>
    forward(config, p, netInput(input), { scales: isQuantized ? scales : undefined }),
  );
  const sequences = (patches: Float32Array, seqLen: number): Float32Array[] =>
    (
      run(uploadParameters(config, net.parameters), uploadScales(net.scales), ...uploadSequences(config, patches, seqLen)) as np.Array[]
    ).map((exit) => exit.dataSync() as Float32Array);
  const wholeRecording = (recording: Recording): Float32Array[] => {
    const count = Math.floor(recording.frames.length / config.channels / config.patchFrames);
    const seqLen = sequenceLengths.find((length) => length >= count)!;
    const patches = new Float32Array(seqLen * perPatch);
    quantizeFrames(recording.frames, 0, patches.subarray(0, count * perPatch), features);
    const exits = sequences(patches, seqLen);
    const frames = countWindowFrames(recording);
    const first = frames / config.patchFrames;
    const own =
      said.get(recording) ??
      Array.from({ length: Math.max(0, count + 1 - first) }, (_, i) => computeLdaLogitsAt(patches, (first + i) * perPatch, frames));
    said.set(recording, own);
    own.forEach((one, i) => {
      if (one) addLdaToExits(exits, (first + i - 1) * config.nClasses, one);
    });
    return exits;
  };
  const said = new Map<Recording, (Int16Array | undefined)[]>(); // a recording is read several times
  /** Output of the window that ends at value `end` of `patches`. */
  const computeLdaLogitsAt = (patches: Float32Array, end: number, frames: number): Int16Array | undefined =>
    lda && computeFrameLdaLogits(lda, patches.subarray(end - frames * config.channels, end), features);
  /** Sequences of `seqLen` patches from a reset state that end where each published window does. */
  const endingWith = (recordings: readonly Recording[], seqLen: number): ScoredWindows => {
    const score = createCollector(config.exits.length, config.nClasses);
    const all = recordings.flatMap((recording) =>
      scoredWindows(recording)
        .map(({ start, label }) => ({ recording, label, start: start + countWindowFrames(recording) - seqLen * config.patchFrames }))
        .filter(({ start }) => start >= 0),
    );
    for (let at = 0; at < all.length; at += windowBatch) {
      const chunk = all.slice(at, at + windowBatch);
      const patches = new Float32Array(windowBatch * seqLen * perPatch);
      chunk.forEach(({ recording, start }, i) => {
        quantizeFrames(recording.frames, start, patches.subarray(i * seqLen * perPatch, (i + 1) * seqLen * perPatch), features);
      });
      const exits = sequences(patches, seqLen);
      chunk.forEach(({ recording, label }, i) => {
        const last = (i + 1) * seqLen - 1;
        const own = computeLdaLogitsAt(patches, (last + 1) * perPatch, countWindowFrames(recording));
        if (own) addLdaToExits(exits, last * config.nClasses, own);
        score.add(exits, last, label - 1, recording.subject);
      });
    }
    return score.result();
  };
  const streamEach = (recordings: readonly Recording[], smoothings: readonly (Smoothing | undefined)[]): ScoredWindows[] => {
    const score = createCollector(config.exits.length, config.nClasses);
    const smoothed = smoothings.map((smoothing) => ({ smoothing, score: createCollector(config.exits.length, config.nClasses) }));
    for (const recording of recordings) {
      const exits = wholeRecording(recording);
      const windows = scoredWindows(recording).map(({ start, label }) => ({
        patch: streamPatch(start, config.patchFrames, countWindowFrames(recording)),
        label,
      }));
      for (const { patch, label } of windows) score.add(exits, patch, label - 1, recording.subject);
      for (const one of smoothed) {
        if (one.smoothing === undefined) continue;
        const followed = exits.map((exit) => scoresOf(exit, config.nClasses, one.smoothing!));
        for (const { patch, label } of windows) one.score.add(followed, patch, label - 1, recording.subject);
      }
    }
    const plain = score.result();
    return smoothed.map(({ smoothing, score: own }) => ({ ...plain, ...(smoothing && { scores: own.result().logits }) }));
  };
  return {
    sequences,
    windows: (recordings) => endingWith(recordings, countWindowFrames(recordings[0] ?? {}) / config.patchFrames),
    contexts: endingWith,
    decisions(recordings, hopPatches, classOf) {
      const score = createCollector(config.exits.length, config.nClasses);
      for (const recording of recordings) {
        const exits = wholeRecording(recording);
        for (let patch = hopPatches - 1; (patch + 1) * config.patchFrames <= recording.labels.length; patch += hopPatches) {
          const label = classOf(recording.labels[(patch + 1) * config.patchFrames - 1]!);
          if (label >= 0) score.add(exits, patch, label, recording.subject);
        }
      }
      return score.result();
    },
    hops: (recordings, hopPatches, classOf) =>
      recordings.map((recording) => {
        const exits = wholeRecording(recording);
        const count = Math.floor(recording.labels.length / config.patchFrames / hopPatches);
        return Array.from({ length: count }, (_, hop): HopLogits => {
          const patch = (hop + 1) * hopPatches - 1;
          const truth = classOf(recording.labels[(patch + 1) * config.patchFrames - 1]!);
          return { truth, logits: exits.map((exit) => fixedLogits(exit, patch, config.nClasses)) };
        });
      }),
    stream: (recordings, smoothing) => streamEach(recordings, [smoothing])[0]!,
    streamEach,
  };
}

/** Share of windows whose largest score at `exit`, or logit, is the label's. */
export function computeAccuracy(scored: ScoredWindows, exit: number): number {
  const { labels } = scored;
  const logits = (scored.scores ?? scored.logits)[exit]!;
  const n = logits.length / labels.length;
  let right = 0;
  for (let i = 0; i < labels.length; i++) {
    if (largest(logits.subarray(i * n, (i + 1) * n)) === labels[i]) right++;
  }
  return right / labels.length;
}

/** Row `patch` of logits (n, nClasses), as the core has them: Q10. */
function fixedLogits(logits: Float32Array, patch: number, nClasses: number): Int16Array {
  const row = logits.subarray(patch * nClasses, (patch + 1) * nClasses);
  return Int16Array.from(row, (logit) => clampS16(Math.round(logit * LOGIT_ONE)));
}

/** Scores (n, nClasses) of decisions after every patch, from logits (n, nClasses). */
function scoresOf(logits: Float32Array, nClasses: number, smoothing: Smoothing): Float32Array {
  const own = new LabelSmoother({ smoothing, nClasses });
  const all = new Float32Array(logits.length);
  for (let patch = 0; patch * nClasses < logits.length; patch++) {
    const fixed = fixedLogits(logits, patch, nClasses);
    all.set(
      Float32Array.from(own.scores(fixed), (score) => score / LOGIT_ONE),
      patch * nClasses,
    );
    own.keep(fixed, 1);
  }
  return all;
}

function createCollector(nExits: number, nClasses: number) {
  const labels: number[] = [];
  const subjects: string[] = [];
  const logits: number[][] = Array.from({ length: nExits }, () => []);
  return {
    add(exits: readonly Float32Array[], row: number, label: number, subject: string): void {
      labels.push(label);
      subjects.push(subject);
      exits.forEach((exit, k) => {
        for (let c = 0; c < nClasses; c++) logits[k]!.push(exit[row * nClasses + c]!);
      });
    },
    result: (): ScoredWindows => ({
      labels: Uint8Array.from(labels),
      subjects,
      logits: logits.map((values) => Float32Array.from(values)),
    }),
  };
}
