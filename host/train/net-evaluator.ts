import { jit, type numpy as np } from "@jax-js/jax";
import { LONGEST_RECORDING_PATCHES, type Recording, scoredWindows, streamPatch, WINDOW_FRAMES } from "../agent/recording.ts";
import { largest } from "../policy/softmax.ts";
import { type ClassOf, type FeatureConfig, quantizeFrames } from "./batches.ts";
import { netInput, type TracedInput, uploadParameters, uploadScales, uploadSequences } from "./device-arrays.ts";
import type { Arrays } from "./layers.ts";
import { forward } from "./net.ts";
import type { TrainedNet } from "./train-net.ts";

/** Logits of every exit for scored windows, and what was right. */
export interface ScoredWindows {
  readonly labels: Uint8Array; // class of each window
  readonly logits: readonly Float32Array[]; // per exit (nWindows, nClasses)
  readonly subjects: readonly string[];
}

/** Runs the traced net as the core would (int8 imitated, or float): for choosing recipes and calibrating, not for reporting. */
export interface NetEvaluator {
  windows(recordings: readonly Recording[]): ScoredWindows;
  stream(recordings: readonly Recording[]): ScoredWindows;
  /** Streaming decisions, one a hop, wherever the frame is labelled: transitions count too. */
  decisions(recordings: readonly Recording[], hopPatches: number, classOf: ClassOf): ScoredWindows;
  /** Published windows with the patches before them, `contextPatches` in all (fewer at a recording's start are left out): what a teacher reads. */
  contexts(recordings: readonly Recording[], contextPatches: number): ScoredWindows;
  sequences(patches: Float32Array, seqLen: number): Float32Array[]; // per exit (B, seqLen, nClasses)
}

const windowBatch = 128;
/** Lengths that whole recordings are padded to, in patches: few, since a jit compiles anew for each. */
const sequenceLengths = [512, 2048, 5376, LONGEST_RECORDING_PATCHES];

export function createNetEvaluator(net: TrainedNet, features: FeatureConfig, isQuantized: boolean): NetEvaluator {
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
    return sequences(patches, seqLen);
  };
  /** Sequences of `seqLen` patches from a reset state that end where each published window does. */
  const endingWith = (recordings: readonly Recording[], seqLen: number): ScoredWindows => {
    const score = createCollector(config.exits.length, config.nClasses);
    const all = recordings.flatMap((recording) =>
      scoredWindows(recording)
        .map(({ start, label }) => ({ recording, label, start: start + WINDOW_FRAMES - seqLen * config.patchFrames }))
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
        score.add(exits, i * seqLen + seqLen - 1, label - 1, recording.subject);
      });
    }
    return score.result();
  };
  return {
    sequences,
    windows: (recordings) => endingWith(recordings, WINDOW_FRAMES / config.patchFrames),
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
    stream(recordings) {
      const score = createCollector(config.exits.length, config.nClasses);
      for (const recording of recordings) {
        const exits = wholeRecording(recording);
        for (const { start, label } of scoredWindows(recording))
          score.add(exits, streamPatch(start, config.patchFrames), label - 1, recording.subject);
      }
      return score.result();
    },
  };
}

/** Share of windows whose largest logit at `exit` is the label's. */
export function accuracyOf(scored: ScoredWindows, exit: number): number {
  const { labels } = scored;
  const logits = scored.logits[exit]!;
  const n = logits.length / labels.length;
  let right = 0;
  for (let i = 0; i < labels.length; i++) {
    if (largest(logits.subarray(i * n, (i + 1) * n)) === labels[i]) right++;
  }
  return right / labels.length;
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
