import { type Recording, scoredWindows, streamPatch, WINDOW_FRAMES } from "../../agent/recording.ts";
import { clampS16 } from "../../core/fixed-point.ts";
import { readImage } from "../../core/image-read.ts";
import type { ModelImage } from "../../core/image-types.ts";
import { exitLogits, labelOf } from "../../core/reference/exit-head.ts";
import { quantiseFrame } from "../../core/reference/features.ts";
import { Stack } from "../../core/reference/stack.ts";
import { createTail, resetTail } from "../../core/reference/tail.ts";
import { frameAt } from "../protocols.ts";

/** Head room of the int16 state over the largest value seen while its scale was chosen. */
const ROOM = 2;

/**
 * Accuracy at the last exit of an image whose scan state is int16: a simulation in the TypeScript oracle, which after every patch rounds
 * each block's int32 state to a power-of-two scale, half up, and saturates it. The scale holds twice the largest |state| of `observed`.
 */
export function shortScanAccuracy(
  imageBytes: Uint8Array,
  observed: readonly Recording[],
  heldOut: readonly Recording[],
): { window: number; stream: number } {
  const image = readImage(imageBytes);
  const walker = createWalker(image);
  const most = image.blocks.map(() => 0);
  for (const recording of observed) {
    walker.reset();
    for (let patch = 0; (patch + 1) * image.patchFrames <= recording.labels.length; patch++) {
      walker.step(recording, patch * image.patchFrames);
      walker.states().forEach((state, b) => {
        for (const value of state) most[b] = Math.max(most[b]!, Math.abs(value));
      });
    }
  }
  const shifts = most.map((value) => Math.max(0, Math.ceil(Math.log2((ROOM * Math.max(1, value)) / 32767))));
  return { window: windowAccuracy(image, walker, shifts, heldOut), stream: streamAccuracy(image, walker, shifts, heldOut) };
}

type Walker = ReturnType<typeof createWalker>;

/** The oracle at full depth after every patch. */
function createWalker(image: ModelImage) {
  const tail = createTail(image);
  const stack = new Stack(image, tail);
  const patch = new Int8Array(image.patchFrames * image.channels);
  return {
    reset: () => resetTail(tail),
    step(recording: Recording, start: number): void {
      for (let i = 0; i < image.patchFrames; i++)
        patch.set(quantiseFrame(frameAt(recording, start + i), image.features), i * image.channels);
      stack.stepPatch(patch);
      for (let exit = 1; exit < image.exits.length; exit++) stack.catchUp(exit);
    },
    /** A block's scan state (dInner, dState); empty for attention. */
    states: (): Int32Array[] => tail.blocks.map((block) => (block.kind === "ssm" ? block.state.scan : new Int32Array(0))),
    label: (): number => labelOf(exitLogits(image.exits.at(-1)!, tail.finalResidual)),
  };
}

function stepShort(walker: Walker, shifts: readonly number[], recording: Recording, start: number): void {
  walker.step(recording, start);
  walker.states().forEach((state, b) => {
    const step = 2 ** shifts[b]!;
    for (let i = 0; i < state.length; i++) state[i] = clampS16(Math.floor(state[i]! / step + 0.5)) * step;
  });
}

function windowAccuracy(image: ModelImage, walker: Walker, shifts: readonly number[], recordings: readonly Recording[]): number {
  let right = 0;
  let count = 0;
  for (const recording of recordings)
    for (const { start, label } of scoredWindows(recording)) {
      walker.reset();
      for (let at = start; at < start + WINDOW_FRAMES; at += image.patchFrames) stepShort(walker, shifts, recording, at);
      count++;
      if (walker.label() === label - 1) right++;
    }
  return right / count;
}

function streamAccuracy(image: ModelImage, walker: Walker, shifts: readonly number[], recordings: readonly Recording[]): number {
  let right = 0;
  let count = 0;
  for (const recording of recordings) {
    const labels = new Map(scoredWindows(recording).map(({ start, label }) => [streamPatch(start, image.patchFrames), label - 1]));
    walker.reset();
    for (let patch = 0; (patch + 1) * image.patchFrames <= recording.labels.length; patch++) {
      stepShort(walker, shifts, recording, patch * image.patchFrames);
      const label = labels.get(patch);
      if (label === undefined) continue;
      count++;
      if (walker.label() === label) right++;
    }
  }
  return right / count;
}
