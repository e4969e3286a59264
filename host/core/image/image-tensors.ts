import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import { requireShape } from "./image-check-values.ts";
import { createView, imageError, requireZeros, type Section } from "./image-header.ts";
import type { FixedScale, LinearTensors } from "./tensor-types.ts";

/** A record of s32 words, and what its offsets point to. */
export interface RecordReader {
  readonly name: string;
  readonly word: (index: number) => number;
  scale(multiplierAt: number): FixedScale;
  /** The linear whose record is at word `at`: BAD_LINEAR unless it is nIn → nOut. */
  linear(at: number, name: string, nIn: number, nOut: number): LinearTensors;
  s8(at: number, name: string, n: number): Int8Array;
  s16(at: number, name: string, n: number): Int16Array;
  s32(at: number, name: string, n: number): Int32Array;
  /** A word that no field claims is 0. */
  requireZero(index: number): void;
}

/** Copies arrays out of the TENSORS section and counts them. */
export class TensorReader {
  readonly #bytes: Uint8Array;
  readonly #section: Section;
  #count = 0;

  constructor(bytes: Uint8Array, section: Section) {
    this.#bytes = bytes;
    this.#section = section;
  }

  /** Arrays read. */
  get count(): number {
    return this.#count;
  }

  /** A fresh copy, so that its base is aligned. The caller has bounded `bytes` by the limits of layout.ts. */
  #copy(offset: number, bytes: number, where: string): ArrayBuffer {
    const { offset: start, bytes: size } = this.#section;
    if (offset % layout.IMAGE_ALIGN !== 0 || offset < start || offset + bytes > start + size) {
      throw imageError(layout.STATUS_BAD_TENSOR, `${where}: ${bytes} B at ${offset}, tensors are ${size} B at ${start}`);
    }
    this.#count += 1;
    return new Uint8Array(this.#bytes.subarray(offset, offset + bytes)).buffer;
  }

  #linear(word: (index: number) => number, at: number, where: string, nIn: number, nOut: number): LinearTensors {
    requireShape(where, { nIn: word(at + layout.LINEAR_N_IN), nOut: word(at + layout.LINEAR_N_OUT) }, nIn, nOut);
    const stride = align16(nIn);
    const offset = word(at + layout.LINEAR_WEIGHTS) >>> 0;
    const padded = new Int8Array(this.#copy(offset, nOut * stride, `${where}: weights`));
    const weights = new Int8Array(nOut * nIn);
    for (let row = 0; row < nOut; row++) {
      weights.set(padded.subarray(row * stride, row * stride + nIn), row * nIn);
      requireZeros(this.#bytes, offset + row * stride + nIn, offset + (row + 1) * stride, `${where}: row ${row}`);
    }
    const rows = (index: number, bytes: number, name: string): ArrayBuffer =>
      this.#copy(word(at + index) >>> 0, nOut * bytes, `${where}: ${name}`);
    return {
      nIn,
      nOut,
      weights,
      bias: new Int32Array(rows(layout.LINEAR_BIAS, 4, "bias")),
      multiplier: new Int32Array(rows(layout.LINEAR_MULTIPLIER, 4, "multiplier")),
      shift: new Int8Array(rows(layout.LINEAR_SHIFT, 1, "shift")),
    };
  }

  /**
   * The record at `offset`, which lies in the image. With `places` its word i is word places[i] there; −1: it is `constant`.
   */
  record(offset: number, name: string, places?: readonly number[], constant = 0): RecordReader {
    const view = createView(this.#bytes);
    const word = (index: number): number => {
      const place = places === undefined ? index : places[index]!;
      return place < 0 ? constant : view.getInt32(offset + 4 * place, true);
    };
    const tensor = (at: number, bytes: number, what: string): ArrayBuffer => this.#copy(word(at) >>> 0, bytes, `${name}: ${what}`);
    return {
      name,
      word,
      scale: (at) => ({ multiplier: word(at), shift: word(at + 1) }),
      linear: (at, what, nIn, nOut) => this.#linear(word, at, `${name}: ${what}`, nIn, nOut),
      s8: (at, what, n) => new Int8Array(tensor(at, n, what)),
      s16: (at, what, n) => new Int16Array(tensor(at, 2 * n, what)),
      s32: (at, what, n) => new Int32Array(tensor(at, 4 * n, what)),
      requireZero(index) {
        if (places === undefined && word(index) !== 0)
          throw imageError(layout.STATUS_BAD_PADDING, `${name}: unused word ${index} is ${word(index)}`);
      },
    };
  }
}
