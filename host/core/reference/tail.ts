import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../align.ts";
import type { Block, ModelImage } from "../image-types.ts";
import type { AttentionState } from "./attention-block.ts";
import type { SsmState } from "./ssm-block.ts";

type BlockState = { readonly bytes: Uint8Array } & (
  | { readonly kind: "ssm"; readonly state: SsmState }
  | { readonly kind: "attention"; readonly state: AttentionState }
);

/** The persistent state, as views of one buffer in the order of assembly/README.md: `bytes` is what a snapshot carries. */
export interface Tail {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array; // TAIL_ words
  readonly partial: Int8Array; // (patchFrames, channels): the patch under way
  readonly lastFrame: Int16Array; // (channels,)
  readonly context: Int8Array; // (contextPatches, patchFrames · channels)
  readonly finalResidual: Int16Array; // (dModel,)
  readonly track: Int32Array; // (nClasses,); empty where decisions are not tracked
  readonly rings: readonly Int16Array[]; // (ringPatches, dModel) an exit but the last
  readonly blocks: readonly BlockState[];
}

/** Hands out 16-aligned views of a buffer, one after the other. */
class Cursor {
  at = 0;
  readonly #buffer: ArrayBuffer;

  constructor(buffer: ArrayBuffer) {
    this.#buffer = buffer;
  }

  #take(bytes: number): number {
    const at = this.at;
    this.at += align16(bytes);
    return at;
  }

  s8(n: number): Int8Array {
    return new Int8Array(this.#buffer, this.#take(n), n);
  }
  s16(n: number): Int16Array {
    return new Int16Array(this.#buffer, this.#take(2 * n), n);
  }
  s32(n: number): Int32Array {
    return new Int32Array(this.#buffer, this.#take(4 * n), n);
  }
  u32(n: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(4 * n), n);
  }
}

function stateBytes(block: Block): number {
  if (block.kind === "ssm") {
    return layout.STATE_HEADER_BYTES + align16((block.dConv - 1) * block.dInner) + align16(4 * block.dInner * block.dState);
  }
  return layout.STATE_HEADER_BYTES + 2 * align16(block.windowPatches * block.nKvHeads * block.headDim);
}

function trackedClasses({ track, nClasses }: ModelImage): number {
  return track ? nClasses : 0;
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
    4 * trackedClasses(image),
  ];
  return [...fixed.map(align16), rings, ...image.blocks.map(stateBytes)].reduce((sum, bytes) => sum + bytes, 0);
}

/** A tail of zeros. Views are little-endian, as every platform of Node is. */
export function createTail(image: ModelImage): Tail {
  const buffer = new ArrayBuffer(tailBytes(image));
  const cursor = new Cursor(buffer);
  const patchBytes = image.channels * image.patchFrames;
  const words = cursor.u32(layout.TAIL_WORDS);
  const partial = cursor.s8(patchBytes);
  const lastFrame = cursor.s16(image.channels);
  const context = cursor.s8(image.contextPatches * patchBytes);
  const finalResidual = cursor.s16(image.dModel);
  const track = cursor.s32(trackedClasses(image));
  const rings = image.exits.slice(1).map(() => cursor.s16(image.ringPatches * image.dModel));
  const blocks = image.blocks.map((block): BlockState => {
    const bytes = new Uint8Array(buffer, cursor.at, stateBytes(block));
    const header = cursor.u32(layout.STATE_HEADER_BYTES / 4);
    if (block.kind === "ssm") {
      const convState = cursor.s8((block.dConv - 1) * block.dInner);
      return { kind: "ssm", bytes, state: { convState, scan: cursor.s32(block.dInner * block.dState) } };
    }
    const size = block.windowPatches * block.nKvHeads * block.headDim;
    return { kind: "attention", bytes, state: { header, keys: cursor.s8(size), values: cursor.s8(size) } };
  });
  return { bytes: new Uint8Array(buffer), words, partial, lastFrame, context, finalResidual, track, rings, blocks };
}

/** Zeroes the state. */
export function resetTail(tail: Tail): void {
  tail.bytes.fill(0);
  tail.words[layout.TAIL_HOPS_SINCE_ASK] = layout.HOPS_SINCE_ASK_MAX;
}
