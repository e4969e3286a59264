import type { Gain, Matrix } from "../../../host/lm/image-fields.ts";
import { clampTo, mulScale, normalShift, q15, roundShift, type Scale, shifted, within } from "./number.ts";

export interface Block {
  readonly values: number[]; // s16, ±32767
  readonly exponent: number;
}

export interface S8Vector {
  readonly values: number[]; // ±127
  readonly scale: Scale;
}

const largest = (v: readonly number[]): number => v.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

export function toBlock(v: readonly number[], rows?: ArrayLike<number>): Block {
  for (const x of v) within("block's input", x, 2 ** 30);
  const most = largest(v);
  if (most === 0) return { values: v.map(() => 0), exponent: 0 };
  const z = normalShift(most);
  const [left, right] = [Math.max(z, 0), Math.max(-z, 0)];
  const values = v.map((x, i) => {
    const a = clampTo(shifted(x, left, right), 32767);
    return within("block", rows === undefined ? a : q15(a, rows[i]!), 32767);
  });
  return { values, exponent: right - left };
}

export function toS8({ values, exponent }: Block): S8Vector {
  const most = within("block", largest(values), 32767);
  if (most === 0) return { values: values.map(() => 0), scale: { mantissa: 0, exponent: 0 } };
  const left = normalShift(most);
  const m = within("mantissa", most * 2 ** left, 32767, 2 ** 14);
  const r = within("reciprocal", Math.floor((127 * 2 ** 22) / m), 32512);
  return {
    values: values.map((a) => within("s8", roundShift(within("a·r", a * 2 ** left * r, 127 * 2 ** 22), 22), 127)),
    scale: { mantissa: m, exponent: exponent - left },
  };
}

/** Accumulators of rows [from, to) of a matrix. */
export function multiply(x: readonly number[], matrix: Matrix, from = 0, to: number = matrix.nOut): number[] {
  const { nIn, nOut, groups } = matrix;
  const size = groups?.size ?? nIn;
  return Array.from({ length: to - from }, (_, i) => {
    let sum = 0;
    for (let at = 0; at < nIn; at += size) {
      const width = Math.min(size, nIn - at);
      const stride = Math.ceil(width / 16) * 16;
      let part = 0;
      for (let k = 0; k < width; k++) part += x[at + k]! * matrix.weights[at * nOut + (from + i) * stride + k]!;
      within("part", part, width * 127 * 128);
      sum +=
        groups === undefined ? part : roundShift(within("part·factor", part * groups.factors[(at / size) * nOut + from + i]!, 2 ** 28), 8);
    }
    return within("accumulator", sum, 2 ** 30);
  });
}

const SINGLE = 2n ** 64n - 1n;

/** RMSNorm of a residual, times its gain: what every matrix reads. */
export function norm(x: readonly number[], gain: Gain, epsilon: number): S8Vector {
  const n = x.length;
  const { values, exponent } = toBlock(x);
  const e = BigInt(exponent);
  const squares = values.reduce((sum, a) => sum + a * a, 0);
  within("Σa²", squares, 2 ** 42, 0);
  const scaled = exponent >= 0 ? BigInt(epsilon) >> (2n * e) : BigInt(epsilon) << (-2n * e);
  const ss = BigInt(squares) + (scaled > 1n ? scaled : 1n);
  if (ss > SINGLE) throw new Error("Σa² + ε leaves 64 bits");
  let k = ss.toString(2).length - 30;
  if (k % 2 !== 0) k += 1;
  const v = within("normalised sum", Number(k >= 0 ? ss >> BigInt(k) : ss << BigInt(-k)), 2 ** 30 - 1, 2 ** 28);
  const root = Math.floor(Math.sqrt(within("n", n * 2 ** 20, 2 ** 32 - 1)));
  const raw = within("inverse", Math.floor(within("√n", root * 2 ** 15, 2 ** 32 - 1) / Math.floor(Math.sqrt(v))), 2 ** 17, 1);
  const z = normalShift(raw);
  const inverse = {
    mantissa: within("inverse", z >= 0 ? raw * 2 ** z : Math.min(roundShift(raw, -z), 32767), 32767, 2 ** 14),
    exponent: -25 - k / 2 - z,
  };
  const s8 = toS8({ values: values.map((a, i) => q15(a, gain.values[i]!)), exponent: 0 });
  return { values: s8.values, scale: mulScale(mulScale(s8.scale, gain.scale), inverse) };
}
