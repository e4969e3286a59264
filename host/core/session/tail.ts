import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import { stateBytes } from "../image/blocks/block.ts";
import type { ModelImage } from "../image/image-types.ts";
import { Views } from "./views.ts";

/** The persistent state, as views of one buffer in the order of assembly/README.md: `bytes` is what a snapshot carries. */
export interface Tail {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array; // TAIL_ words
  readonly partial: Int8Array; // (patchFrames, channels): the patch under way
  readonly lastFrame: Int16Array; // (channels,)
  readonly context: Int8Array; // (contextPatches, patchFrames · channels)
  readonly finalResidual: Int16Array; // (dModel,)
  readonly pathScores: Int32Array; // (nClasses,); empty without smoothing
  readonly rings: readonly Int16Array[]; // (ringPatches, dModel) an exit but the last
  readonly monitor: Int32Array; // (MONITOR_WORDS,); empty without plausibility limits
  readonly blocks: readonly Uint8Array[]; // each block's state, its header included
}

function smoothedClasses({ smoothing, nClasses }: ModelImage): number {
  return smoothing ? nClasses : 0;
}

function monitorWords({ plausibility }: ModelImage): number {
  return plausibility ? layout.MONITOR_WORDS : 0;
}

/** Bytes of an image's tail. */
function tailBytes(image: ModelImage): number {
  const patchBytes = image.channels * image.patchFrames;
  const rings = (image.exits.length - 1) * align16(2 * image.ringPatches * image.dModel);
  const fixed = [
    4 * layout.TAIL_WORDS,
    patchBytes,
    2 * image.channels,
    image.contextPatches * patchBytes,
    2 * image.dModel,
    4 * smoothedClasses(image),
  ];
  return [...fixed.map(align16), rings, ...image.blocks.map(stateBytes), 4 * monitorWords(image)].reduce((sum, bytes) => sum + bytes, 0);
}

/** A tail of zeros. */
export function createTail(image: ModelImage): Tail {
  const buffer = new ArrayBuffer(tailBytes(image));
  const views = new Views(buffer);
  const patchBytes = image.channels * image.patchFrames;
  const words = views.u32(layout.TAIL_WORDS);
  const partial = views.s8(patchBytes);
  const lastFrame = views.s16(image.channels);
  const context = views.s8(image.contextPatches * patchBytes);
  const finalResidual = views.s16(image.dModel);
  const pathScores = views.s32(smoothedClasses(image));
  const rings = image.exits.slice(1).map(() => views.s16(image.ringPatches * image.dModel));
  const blocks = image.blocks.map((block) => views.u8(stateBytes(block)));
  const monitor = views.s32(monitorWords(image));
  return { bytes: new Uint8Array(buffer), words, partial, lastFrame, context, finalResidual, pathScores, rings, monitor, blocks };
}

/** Zeroes the state. */
export function resetTail(tail: Tail): void {
  resetStream(tail);
  tail.monitor.fill(0);
}

/** Zeroes what the model knows of the stream; the plausibility monitor stays. */
export function resetStream(tail: Tail): void {
  tail.bytes.fill(0, 0, tail.bytes.length - tail.monitor.byteLength);
  tail.words[layout.TAIL_HOPS_SINCE_ASK] = layout.HOPS_SINCE_ASK_MAX;
}
