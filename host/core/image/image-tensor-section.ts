import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import type { FixedScale, LinearTensors } from "./tensor-types.ts";

type TensorArray = Int8Array | Uint8Array | Int16Array | Int32Array;

export function viewBytes(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength); // hosts are little-endian, as every platform of Node is
}

/** The TENSORS section as it grows: arrays in the order of the records, each at a multiple of IMAGE_ALIGN. */
export class TensorSection {
  readonly #arrays: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly offset: number;
  #end: number;

  constructor(offset: number) {
    this.offset = offset;
    this.#end = offset;
  }

  /** Offset of `array` from the image's first byte. */
  place(array: TensorArray): number {
    const at = align16(this.#end);
    this.#arrays.push({ at, bytes: viewBytes(array) });
    this.#end = at + array.byteLength;
    return at;
  }

  get count(): number {
    return this.#arrays.length;
  }

  toBytes(): Uint8Array {
    const out = new Uint8Array(this.#end - this.offset);
    for (const { at, bytes } of this.#arrays) out.set(bytes, at - this.offset);
    return out;
  }
}

/** Rows at a stride of nIn rounded up to 16. */
function padRows({ weights, nIn, nOut }: LinearTensors): Int8Array {
  const stride = align16(nIn);
  const padded = new Int8Array(nOut * stride);
  for (let row = 0; row < nOut; row++) padded.set(weights.subarray(row * nIn, (row + 1) * nIn), row * stride);
  return padded;
}

export function putLinear(words: Int32Array, at: number, linear: LinearTensors, tensors: TensorSection): void {
  words[at + layout.LINEAR_N_IN] = linear.nIn;
  words[at + layout.LINEAR_N_OUT] = linear.nOut;
  words[at + layout.LINEAR_WEIGHTS] = tensors.place(padRows(linear));
  words[at + layout.LINEAR_BIAS] = tensors.place(linear.bias);
  words[at + layout.LINEAR_MULTIPLIER] = tensors.place(linear.multiplier);
  words[at + layout.LINEAR_SHIFT] = tensors.place(linear.shift);
}

export function putScale(words: Int32Array, multiplierAt: number, scale: FixedScale): void {
  words[multiplierAt] = scale.multiplier;
  words[multiplierAt + 1] = scale.shift;
}
