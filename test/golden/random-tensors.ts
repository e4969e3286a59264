import { toFixedScale } from "../../host/core/arithmetic/fixed-point.ts";
import type { LinearTensors } from "../../host/core/image/image-types.ts";

export type Random = () => number;

export const NORM_RMS = 32; // what rmsNorm gives
export const ACTIVATION_RMS = 30; // of int8 activations: a quarter of their range

/**
 * A linear whose row i has an RMS of about outputRms(i) and a mean of about outputMean(i), for inputs of inputRms. One row in 12 has few
 * weights of ±1 (so that its shift is to the left where the output is wide), one in 24 is all zero with multiplier 0.
 */
export function randomLinear(
  random: Random,
  nIn: number,
  nOut: number,
  inputRms: number,
  outputRms: (row: number) => number,
  outputMean: (row: number) => number = () => 0,
): LinearTensors {
  const weights = new Int8Array(nIn * nOut);
  const bias = new Int32Array(nOut);
  const multiplier = new Int32Array(nOut);
  const shift = new Int8Array(nOut);
  for (let row = 0; row < nOut; row++) {
    const kind = random();
    if (kind < 1 / 24) continue;
    const isLight = kind < 1 / 8;
    const w = weights.subarray(row * nIn, (row + 1) * nIn);
    for (let i = 0; i < nIn; i++)
      w[i] = isLight ? Math.sign(Math.floor(random() * 8) - 3.5) * Number(random() < 0.3) : integerWeight(random);
    w[0] = w[0] || 1; // no accidental zero row
    const norm = Math.sqrt(w.reduce((sum, v) => sum + v * v, 0));
    const scale = outputRms(row) / (inputRms * norm);
    bias[row] = Math.round((outputMean(row) + (random() - 0.5) * outputRms(row)) / scale);
    const fixed = toFixedScale(scale);
    multiplier[row] = fixed.multiplier;
    shift[row] = fixed.shift;
  }
  return { nIn, nOut, weights, bias, multiplier, shift };
}

function integerWeight(random: Random): number {
  return Math.floor(random() * 255) - 127;
}

/** SiLU of int8 in and out, both of scale 1/countsPerOne. */
export function siluTable(countsPerOne: number): Int8Array {
  return Int8Array.from({ length: 256 }, (_, i) => {
    const x = (i - 128) / countsPerOne;
    return Math.max(-128, Math.min(127, Math.round((x / (1 + Math.exp(-x))) * countsPerOne)));
  });
}
