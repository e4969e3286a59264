import * as L from "../../assembly/layout.ts";
import { rotation } from "../data/sensor-faults.ts";
import { cholesky, solve } from "./cholesky.ts";

const CHANNELS = L.MONITOR_CHANNELS;
const ROW = 2 * CHANNELS;
/** Turns about gravity that walks are told from, radians: gravity shows the others. */
const TURNS = [Math.PI / 2, Math.PI, (3 * Math.PI) / 2];
/** Of the mean variance, added to each. */
const RIDGE = 0.003;
/** A block votes for a turned sensor only if it looks more so than this: 1 is as trained, −1 turned. */
const VOTE_BELOW = -0.15;
const LARGEST_WEIGHT = 16384;

/** Which of the (6, 12) products are weighed: of channels now a ≤ b, and of each now with each of the patch before. */
const WEIGHED = Array.from({ length: CHANNELS * ROW }, (_, k) => k).filter((k) => k % ROW >= Math.floor(k / ROW));

/**
 * Weights of the (6, 12) products whose sum is positive when a block of walking looks like that of a sensor turned about gravity: ridge
 * regression of −1 (turned) and 1 (as trained) on the products over their total variance, so that the sign needs no division.
 * `moving`: features of sound sensors; `up`: direction of gravity.
 */
export function fitTurned(moving: readonly Int32Array[], up: readonly number[]): Float64Array {
  const size = WEIGHED.length;
  const gram = new Float64Array(size * size); // the lower half
  const target = new Float64Array(size);
  const add = (row: Float64Array, wanted: number, weight: number): void => {
    for (let i = 0; i < size; i++) {
      target[i]! += weight * wanted * row[i]!;
      for (let j = 0; j <= i; j++) gram[i * size + j]! += weight * row[i]! * row[j]!;
    }
  };
  const turns = TURNS.map((radians) => rotation(up as [number, number, number], radians));
  for (const features of moving) {
    const products = Float64Array.from(features.subarray(L.MONITOR_PRODUCTS, L.MONITOR_FEATURES));
    add(shareOf(products), 1, turns.length);
    for (const matrix of turns) add(shareOf(turned(products, matrix)), -1, 1);
  }
  let mean = 0;
  for (let i = 0; i < size; i++) mean += gram[i * size + i]! / size;
  for (let i = 0; i < size; i++) gram[i * size + i]! += RIDGE * mean;
  const found = solve(cholesky(gram, size), target);
  const weights = new Float64Array(CHANNELS * ROW);
  for (const [i, k] of WEIGHED.entries()) weights[k] = -found[i]!;
  for (let c = 0; c < CHANNELS; c++) weights[c * ROW + c]! += VOTE_BELOW;
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  return weights.map((weight) => (weight / largest) * LARGEST_WEIGHT);
}

/** The weighed products over the total variance. */
function shareOf(products: Float64Array): Float64Array {
  let total = 0;
  for (let c = 0; c < CHANNELS; c++) total += products[c * ROW + c]!;
  return Float64Array.from(WEIGHED, (k) => products[k]! / Math.max(1, total));
}

/** (6, 12) products as a sensor turned by `matrix` (3, 3) would have them: R·C·Rᵀ, triad by triad. */
function turned(products: Float64Array, matrix: readonly number[]): Float64Array {
  const half = new Float64Array(CHANNELS * ROW);
  const out = new Float64Array(CHANNELS * ROW);
  for (let a = 0; a < CHANNELS; a++)
    for (let b = 0; b < ROW; b++)
      for (let i = 0; i < 3; i++) half[a * ROW + b]! += matrix[(a % 3) * 3 + i]! * products[(a - (a % 3) + i) * ROW + b]!;
  for (let a = 0; a < CHANNELS; a++)
    for (let b = 0; b < ROW; b++)
      for (let i = 0; i < 3; i++) out[a * ROW + b]! += matrix[(b % 3) * 3 + i]! * half[a * ROW + b - (b % 3) + i]!;
  return out;
}
