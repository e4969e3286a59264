import { exp2Neg, type rotation } from "./curves.ts";
import { clamped, clampTo, normalShift, q15, roundShift, type Scale, shifted, within } from "./number.ts";
import { toS8 } from "./vector.ts";

/** What a key and value head has seen: one entry per slot. */
export interface HeadRing {
  readonly keys: number[][];
  readonly values: number[][];
  readonly keyScales: number[];
  readonly valueScales: number[];
}

/** Rotates pairs (2j, 2j + 1) and halves. */
export function rotate(head: readonly number[], angles: ReturnType<typeof rotation>): number[] {
  return head.flatMap((_, i) => {
    if (i % 2 === 1) return [];
    const [a, b, { cosine, sine }] = [head[i]!, head[i + 1]!, angles[i / 2]!];
    const turned = [a * cosine - b * sine, a * sine + b * cosine];
    return turned.map((sum) => within("rotated", roundShift(sum, 15), 32767));
  });
}

/** A head vector as s8, its scale in 2^unit. */
export function toRing(values: readonly number[], exponent: number, factor: (scale: Scale) => Scale, unit: number): [number[], number] {
  const s8 = toS8({ values: [...values], exponent });
  const own = factor(s8.scale);
  const s = own.exponent - unit;
  if (s > 0) return [s8.values, own.mantissa === 0 ? 0 : 32767];
  return [s8.values, within("ring scale", roundShift(own.mantissa, Math.min(-s, 31)), 32767, 0)];
}

const largestOf = (scales: readonly number[], n: number): number => scales.slice(0, n).reduce((a, b) => Math.max(a, b), 1);

/** softmax(q·k)·v of one head over its first n slots, in units of 2^(valueUnit − 6). `unit`: q's exponent and the key unit. */
export function attend(q: readonly number[], ring: HeadRing, n: number, unit: number): number[] {
  const bits = Math.ceil(Math.log2(q.length));
  const kShift = normalShift(largestOf(ring.keyScales, n));
  const vShift = normalShift(largestOf(ring.valueScales, n));
  const d = Math.max(0, 7 + bits - kShift);
  const scores = Array.from({ length: n }, (_, p) => {
    const sum = q.reduce((total, x, i) => within("q·k", total + x * ring.keys[p]![i]!), 0);
    return within("score", roundShift(sum, d) * ring.keyScales[p]!, 2 ** 30);
  });
  const most = Math.max(...scores);
  const s = clamped(-(d + unit + 11), 0, 31);
  const half = s === 0 ? 0 : 2 ** (s - 1);
  const powers = scores.map((score) => {
    const below = within("below the largest", most - score, 2 ** 31, 0);
    return exp2Neg(Math.min(32767, Math.floor((below + half) / 2 ** s)));
  });
  const sum = within(
    "Σp",
    powers.reduce((a, b) => a + b, 0),
    n * 2 ** 14,
    16383,
  );
  const weights = powers.map((p, i) => q15(p, within("value scale", ring.valueScales[i]! * 2 ** vShift, 32767, 0)));
  const mixed = q.map((_, i) => weights.reduce((total, w, p) => within("Σp·v", total + w * ring.values[p]![i]!), 0));
  const z = normalShift(Math.max(1, ...mixed.map(Math.abs)));
  const k = 16 - Math.clz32(sum);
  const divisor = within("normalised Σp", k >= 0 ? Math.floor(sum / 2 ** k) : sum * 2 ** -k, 2 ** 16 - 1, 2 ** 15);
  const reciprocal = Math.floor(2 ** 30 / divisor);
  const shift = clamped(9 + vShift + k + z, 0, 31);
  return mixed.map((o) => {
    const x = clampTo(shifted(o, Math.max(z, 0), Math.max(-z, 0)), 32767);
    return within("head's output", roundShift(within("o/Σp", x * reciprocal, 2 ** 30), shift), 2 ** 28 + 2 ** 14);
  });
}
