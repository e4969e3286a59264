import { clampS8 } from "./fixed-point.ts";

/** ⌊√v⌋ of a u32: a float64 root of an integer below 2^52 never rounds up to the next integer. */
export function isqrt(v: number): number {
  return Math.floor(Math.sqrt(v));
}

function bitLength(v: number): number {
  return v >= 2 ** 32 ? 64 - Math.clz32(Math.floor(v / 2 ** 32)) : 32 - Math.clz32(v);
}

/**
 * x / √(mean(x²) + ε) as s8, an RMS of 1 being FIXED_NORM_ONE = 32. x (n) s16, n ≤ 512; epsilon ≥ 1 is added to Σx².
 * Core: assembly/kernels/rms-norm.ts. Source: arXiv:1910.07467.
 */
export function rmsNorm(x: Int16Array, epsilon: number): Int8Array {
  let ss = epsilon; // < 2^40: exact
  for (let i = 0; i < x.length; i++) ss += x[i]! * x[i]!;
  let e = bitLength(ss) - 30;
  if (e % 2 !== 0) e += 1;
  const v = Math.floor(ss * 2 ** -e); // in [2^28, 2^30)
  const m = Math.floor((isqrt(x.length * 2 ** 20) * 32768) / isqrt(v));
  const s = 20 + e / 2;
  const half = 1 << (s - 1);
  const y = new Int8Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = clampS8((x[i]! * m + half) >> s);
  return y;
}
