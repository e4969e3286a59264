/** y = W·x + b as an image holds it. Row i of `weights` starts at i·nIn (unpadded here; the writer pads). */
export interface LinearTensors {
  readonly nIn: number;
  readonly nOut: number;
  readonly weights: Int8Array; // (nOut, nIn)
  readonly bias: Int32Array; // (nOut,)
  readonly multiplier: Int32Array; // (nOut,) Q31
  readonly shift: Int8Array; // (nOut,) positive = left
}

/** A scale as the core applies it: scale = multiplier · 2^(shift − 31). */
export interface FixedScale {
  readonly multiplier: number;
  readonly shift: number;
}
