import {
  FIXED_CROSS_LAG,
  FIXED_CROSS_LAGS,
  FIXED_KNEE_SHIFT,
  FIXED_LAGS,
  FIXED_LOG_BITS,
  FIXED_SPREAD_STATISTICS,
  FIXED_STATISTIC_BITS,
  FIXED_SWAY_FRAMES,
} from "../../../assembly/layout.ts";
import type { Lda, ModelImage } from "../image/image-types.ts";
import { clampS16 } from "./fixed-point.ts";
import { isqrt } from "./rms-norm.ts";

const TRIAD = 3;
const ONE = 2 ** FIXED_STATISTIC_BITS;

/** Signals of a window: its channels, and the magnitude of every whole triad. */
export function signalCount(channels: number): number {
  return channels + Math.floor(channels / TRIAD);
}

/** How many statistics a window of so many channels has. */
export function statisticsCount(channels: number): number {
  return signalCount(channels) * (1 + 2 * FIXED_SPREAD_STATISTICS) + 3 * channels + crossCount(channels);
}

/** Pairs of channels, and lags between them: at lag 0 each pair once, and no channel with itself. */
export function crossCount(channels: number): number {
  return (channels * (channels - 1)) / 2 + (FIXED_CROSS_LAGS - 1) * channels ** 2;
}

/**
 * Statistics of a window, in the core's integers, (statisticsCount,): of each channel and each triad's magnitude the mean and how it spreads
 * and repeats; of each channel how its means over 0.16 s move; of the changes from frame to frame how they spread and repeat; of each two
 * channels how they move together. `window` (frames, channels) s8 as the net reads them, `knees` (channels,). Core: assembly/heads/lda.ts.
 * After Anguita et al. 2013 (ESANN).
 */
export function windowStatistics(window: Int8Array, knees: readonly number[]): Int32Array {
  const channels = knees.length;
  const frames = window.length / channels;
  const plain = knees.map((knee, c) => {
    const signal = new Int32Array(frames);
    for (let t = 0; t < frames; t++) signal[t] = expand(window[t * channels + c]!, knee);
    return signal;
  });
  const changes = plain.map((signal) => differences(signal));
  const out: number[] = [];
  for (const signal of [...plain, ...magnitudes(plain)]) {
    const mean = meanOf(signal);
    out.push(mean, ...spread(signal, mean));
  }
  for (const signal of plain) out.push(...sway(signal));
  for (const signal of [...changes, ...magnitudes(changes)]) out.push(...spread(signal, meanOf(signal)));
  out.push(...cross(plain));
  return Int32Array.from(out);
}

/**
 * What a window (frames, channels) s8 says of each class, (nClasses,) Q10. All are 0 if a triad of channels has not changed in the window:
 * its sensor is dead, or the device is not worn.
 */
export function computeLdaLogits(lda: Lda, window: Int8Array, knees: readonly number[]): Int16Array {
  const statistics = livingStatistics(window, knees);
  return statistics ? applyLda(lda, statistics) : new Int16Array(lda.bias.length);
}

/** Statistics; undefined where a whole triad has not moved. */
export function livingStatistics(window: Int8Array, knees: readonly number[]): Int32Array | undefined {
  const isDead = Array.from({ length: Math.floor(knees.length / TRIAD) }, (_, triad) => triad).some((triad) =>
    window.every((value, at) => Math.floor((at % knees.length) / TRIAD) !== triad || value === window[at % knees.length]),
  );
  return isDead ? undefined : windowStatistics(window, knees);
}

/** What statistics say of each class, (nClasses,) Q10. */
export function applyLda({ means, limits, weights, bias, shift }: Lda, statistics: Int32Array): Int16Array {
  const nClasses = bias.length;
  const sums = Array.from(bias, Number); // below 2^47: exact
  statistics.forEach((value, f) => {
    const counted = Math.max(-limits[f]!, Math.min(limits[f]!, value - means[f]!));
    for (let c = 0; c < nClasses; c++) sums[c]! += counted * weights[f * nClasses + c]!;
  });
  return Int16Array.from(sums, (sum) => clampS16(Math.floor((sum + Math.floor(2 ** shift / 2)) / 2 ** shift)));
}

type Reading = Pick<ModelImage, "windowPatches" | "channels" | "patchFrames" | "features"> & { readonly lda?: Lda | undefined };

/** LDA logits of the window at the end of `patches` (n, patchFrames · channels) s8; undefined without weights, or where there is no whole window. */
export function computeLdaLogitsAtEnd(
  { lda, windowPatches, channels, patchFrames, features }: Reading,
  patches: Int8Array,
): Int16Array | undefined {
  const values = windowPatches * patchFrames * channels;
  if (!lda || patches.length < values) return undefined;
  const knees = features.map(({ knee }) => knee);
  return computeLdaLogits(lda, patches.subarray(patches.length - values), knees);
}

/** logits (nClasses,) plus the LDA head's, clamped to s16. */
export function addLda(logits: Int16Array, lda: Int16Array | undefined): Int16Array {
  return lda ? logits.map((logit, c) => clampS16(logit + lda[c]!)) : logits;
}

/** Linear steps of a companded value, but for its rounding. */
function expand(value: number, knee: number): number {
  const beyond = Math.abs(value) - knee;
  return knee === 0 || beyond <= 0 ? value : Math.sign(value) * (knee + beyond * 2 ** FIXED_KNEE_SHIFT);
}

function differences(signal: Int32Array): Int32Array {
  const changes = new Int32Array(signal.length - 1);
  for (let t = 0; t < changes.length; t++) changes[t] = signal[t + 1]! - signal[t]!;
  return changes;
}

/** Length of each triad's vector, frame by frame. */
function magnitudes(signals: readonly Int32Array[]): Int32Array[] {
  return Array.from({ length: Math.floor(signals.length / TRIAD) }, (_, triad) => {
    const [x, y, z] = signals.slice(triad * TRIAD) as [Int32Array, Int32Array, Int32Array];
    const lengths = new Int32Array(x.length);
    for (let t = 0; t < lengths.length; t++) lengths[t] = isqrt(x[t]! * x[t]! + y[t]! * y[t]! + z[t]! * z[t]!);
    return lengths;
  });
}

/** Q3, towards 0. */
function meanOf(signal: Int32Array): number {
  let sum = 0;
  for (let t = 0; t < signal.length; t++) sum += signal[t]!;
  return Math.trunc((sum * ONE) / signal.length);
}

/** Q8 logarithm to base 2 of an integer ≥ 1, straight between powers of 2. */
function log2Q8(value: number): number {
  const power = value >= 2 ** 32 ? 63 - Math.clz32(Math.floor(value / 2 ** 32)) : 31 - Math.clz32(value);
  return (power - 1) * 2 ** FIXED_LOG_BITS + Math.floor(value * 2 ** (FIXED_LOG_BITS - power));
}

/** Values about their mean, Q3. */
function centredOf(signal: Int32Array, mean: number): Int32Array {
  return signal.map((value) => value * ONE - mean);
}

/** How each two channels move together, the second of them earlier by each lag in turn: correlations, Q9. */
function cross(plain: readonly Int32Array[]): number[] {
  const centred = plain.map((signal) => centredOf(signal, meanOf(signal)));
  const roots = centred.map((signal) => isqrt(signal.reduce((sum, value) => sum + value * value, 4 * signal.length)));
  const out: number[] = [];
  for (let lag = 0; lag < FIXED_CROSS_LAGS * FIXED_CROSS_LAG; lag += FIXED_CROSS_LAG)
    for (const [a, later] of centred.entries())
      for (const [b, earlier] of centred.slice(0, lag === 0 ? a : centred.length).entries()) {
        let product = 0;
        for (let t = lag; t < later.length; t++) product += later[t]! * earlier[t - lag]!;
        out.push(Math.trunc((product * 512) / (roots[a]! * roots[b]!)));
      }
  return out;
}

/** Power, highest and lowest, mean distance, all of the logarithms of values about the mean; then autocorrelations, Q9. */
function spread(signal: Int32Array, mean: number): number[] {
  const n = signal.length;
  const centred = centredOf(signal, mean);
  let [highest, lowest, distance, power] = [0, 0, 0, 0];
  for (const value of centred) {
    highest = Math.max(highest, value);
    lowest = Math.min(lowest, value);
    distance += Math.abs(value);
    power += value * value;
  }
  const whole = power + 4 * n; // a sixteenth of a squared step more: rounding noise has no rhythm
  const repeated = Array.from({ length: FIXED_LAGS }, (_, i) => {
    let product = 0;
    for (let t = i + 1; t < n; t++) product += centred[t]! * centred[t - i - 1]!;
    return Math.trunc((product * 512) / whole);
  });
  return [
    log2Q8(1 + Math.floor(power / n)),
    log2Q8(1 + highest),
    log2Q8(1 - lowest),
    log2Q8(1 + Math.floor((4 * distance) / n)),
    ...repeated,
  ];
}

/** How sums of FIXED_SWAY_FRAMES move: the median and the mean change from one to the next, and their power about the mean. */
function sway(signal: Int32Array): number[] {
  const n = Math.floor(signal.length / FIXED_SWAY_FRAMES);
  const sums = Int32Array.from({ length: n }, (_, i) =>
    signal.subarray(i * FIXED_SWAY_FRAMES, (i + 1) * FIXED_SWAY_FRAMES).reduce((sum, value) => sum + value, 0),
  );
  const changes = differences(sums).map(Math.abs).sort();
  const moved = changes.reduce((sum, change) => sum + change, 0);
  const mean = meanOf(sums);
  let power = 0;
  for (const sum of sums) power += (sum * ONE - mean) ** 2;
  return [log2Q8(1 + 4 * changes[(n - 2) >> 1]!), log2Q8(1 + Math.floor((4 * moved) / (n - 1))), log2Q8(1 + Math.floor(power / n))];
}
