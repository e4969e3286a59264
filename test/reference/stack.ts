import * as layout from "../../assembly/layout.ts";
import { computeLdaLogitsAtEnd } from "../../host/core/arithmetic/lda.ts";
import { linearS8, rowsToS16 } from "../../host/core/arithmetic/linear-s8.ts";
import type { Lda, ModelImage } from "../../host/core/image/image-types.ts";
import { blockOps, embedOps } from "../../host/core/image/op-count.ts";
import type { OracleTail } from "./tail.ts";

/** The blocks in segments between exits, with a ring of waiting residuals at each exit but the last. Core: assembly/step.ts. */
export class Stack {
  readonly #image: ModelImage;
  readonly #tail: OracleTail;
  readonly #blockMacs: readonly number[];
  readonly #embedMacs: number;
  #lda: Lda | undefined;

  constructor(image: ModelImage, tail: OracleTail) {
    this.#image = image;
    this.#tail = tail;
    this.#lda = image.lda;
    this.#blockMacs = image.blocks.map((block) => blockOps(block, image.dModel).macs);
    this.#embedMacs = embedOps(image).macs;
  }

  /** Appends a patch to the context, embeds it and runs segment 0. */
  stepPatch(patch: Int8Array): void {
    const { contextPatches, embed } = this.#image;
    const { words, context } = this.#tail;
    const head = words[layout.TAIL_CONTEXT_HEAD]!;
    context.set(patch, head * patch.length);
    words[layout.TAIL_CONTEXT_HEAD] = (head + 1) % contextPatches;
    words[layout.TAIL_CONTEXT_COUNT] = Math.min(words[layout.TAIL_CONTEXT_COUNT]! + 1, contextPatches);

    const residual = rowsToS16(linearS8(patch, embed), embed);
    words[layout.TAIL_MACS]! += this.#embedMacs;
    this.#runSegment(0, residual);
    words[layout.TAIL_PATCHES]! += 1;
    words[layout.TAIL_PATCHES_SINCE_DECISION]! += 1;
  }

  /** Brings segment s ≥ 1 up to the present; true if its ring had overflowed and it was rebuilt. */
  catchUp(s: number): boolean {
    const { ringPatches, dModel } = this.#image;
    const { words, rings } = this.#tail;
    const ring = rings[s - 1]!;
    const isRebuild = words[layout.TAIL_RING_PENDING + s - 1]! > ringPatches;
    if (isRebuild) this.#resetSegments(s);
    const pending = isRebuild ? ringPatches : words[layout.TAIL_RING_PENDING + s - 1]!;
    const oldest = words[layout.TAIL_RING_HEAD + s - 1]! + ringPatches - pending;
    for (let i = 0; i < pending; i++) {
      const slot = (oldest + i) % ringPatches;
      this.#runSegment(s, ring.slice(slot * dModel, (slot + 1) * dModel));
    }
    words[layout.TAIL_RING_PENDING + s - 1] = 0;
    return isRebuild;
  }

  /** The latest residual at exit k, whose segment is caught up. */
  residualAt(k: number): Int16Array {
    const { ringPatches, dModel, exits } = this.#image;
    if (k === exits.length - 1) return this.#tail.finalResidual;
    const slot = (this.#tail.words[layout.TAIL_RING_HEAD + k]! + ringPatches - 1) % ringPatches;
    return this.#tail.rings[k]!.subarray(slot * dModel, (slot + 1) * dModel);
  }

  /** The last `count` patches of the context, oldest first. */
  lastPatches(count: number): Int8Array {
    const { contextPatches, channels, patchFrames } = this.#image;
    const { words, context } = this.#tail;
    const patchBytes = channels * patchFrames;
    const oldest = words[layout.TAIL_CONTEXT_HEAD]! + contextPatches - count;
    const out = new Int8Array(count * patchBytes);
    for (let i = 0; i < count; i++) {
      const slot = (oldest + i) % contextPatches;
      out.set(context.subarray(slot * patchBytes, (slot + 1) * patchBytes), i * patchBytes);
    }
    return out;
  }

  /** What the last window's statistics say of each class, (nClasses,) Q10; undefined without weights, or before a whole window. */
  lda(): Int16Array | undefined {
    const count = Math.min(this.#tail.words[layout.TAIL_CONTEXT_COUNT]!, this.#image.windowPatches);
    return computeLdaLogitsAtEnd({ ...this.#image, lda: this.#lda }, this.lastPatches(count));
  }

  /** From now on; of the image's own shape. */
  setLda(lda: Lda): void {
    this.#lda = lda;
  }

  #firstBlock(s: number): number {
    return s === 0 ? 0 : this.#image.exits[s - 1]!.afterBlock + 1;
  }

  /** Runs the blocks of segment s on `residual` in place, and keeps the result for whoever comes next. */
  #runSegment(s: number, residual: Int16Array): void {
    const { words, oracles } = this.#tail;
    for (let b = this.#firstBlock(s); b <= this.#image.exits[s]!.afterBlock; b++) {
      oracles[b]!.step(residual);
      words[layout.TAIL_MACS]! += this.#blockMacs[b]!;
      words[layout.TAIL_STEPS]! += 1;
    }
    this.#keep(s, residual);
  }

  #keep(s: number, residual: Int16Array): void {
    const { ringPatches, dModel, exits } = this.#image;
    const { words, rings, finalResidual } = this.#tail;
    if (s === exits.length - 1) {
      finalResidual.set(residual);
      return;
    }
    const head = words[layout.TAIL_RING_HEAD + s]!;
    rings[s]!.set(residual, head * dModel);
    words[layout.TAIL_RING_HEAD + s] = (head + 1) % ringPatches;
    words[layout.TAIL_RING_PENDING + s] = Math.min(words[layout.TAIL_RING_PENDING + s]! + 1, ringPatches + 1);
  }

  /** Forgets what segments ≥ s know; the rings keep their residuals and heads. */
  #resetSegments(s: number): void {
    for (const bytes of this.#tail.blocks.slice(this.#firstBlock(s))) bytes.fill(0);
    for (let k = s; k < this.#image.exits.length - 1; k++) this.#tail.words[layout.TAIL_RING_PENDING + k] = 0;
  }
}
