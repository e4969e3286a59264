// Integers as plain numbers, each checked against the bound that the core's word or the documents give it: an oracle that is wrong in a
// bound says so, where the core would wrap.

/** m·2^e, m in [2^14, 2^15) or 0. */
export interface Scale {
  readonly mantissa: number;
  readonly exponent: number;
}

const S32 = 2 ** 31;

/** `value`, an integer of at most `most` in magnitude (default: s32's largest). */
export function within(name: string, value: number, most: number = S32 - 1, least: number = -most): number {
  if (Number.isInteger(value) && value <= most && value >= least) return value + 0; // −0 is 0
  throw new Error(`${name} is ${value}, outside ${least} … ${most}`);
}

/** (a·b + 2^14) >> 15 of two s16: an s16. */
export function q15(a: number, b: number): number {
  within("q15's a", a, 32767, -32768);
  within("q15's b", b, 32767, -32768);
  return within("q15", Math.floor((within("a·b", a * b) + 2 ** 14) / 2 ** 15), 32767, -32768);
}

/** v/2^s rounded half up, s in 0 … 31; the sum before the shift is an s32. */
export function roundShift(v: number, s: number): number {
  within("shift", s, 31, 0);
  const half = s === 0 ? 0 : 2 ** (s - 1);
  return Math.floor(within("rounded", within("shifted", v) + half) / 2 ** s);
}

/** v·2^left, then roundShift: one of the two shifts is 0. */
export function shifted(v: number, left: number, right: number): number {
  return roundShift(within("shifted left", v * 2 ** left), right);
}

export function clampTo(v: number, most: number): number {
  return Math.max(-most, Math.min(most, v));
}

export function clamped(v: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, v));
}

/** The left shift that brings a magnitude to [2^14, 2^15): negative is right. */
export function normalShift(magnitude: number): number {
  return Math.clz32(within("magnitude", magnitude, 2 ** 32 - 1, 1)) - 17;
}

export function mulScale(a: Scale, b: Scale): Scale {
  const p = within("product of mantissas", a.mantissa * b.mantissa, 2 ** 30, 0);
  const exponent = within("exponent", a.exponent + b.exponent, 32000);
  if (p >= 2 ** 29) return { mantissa: Math.min(roundShift(p, 15), 32767), exponent: exponent + 15 };
  return { mantissa: Math.min(roundShift(p, 14), 32767), exponent: exponent + 14 };
}

export function raised({ mantissa, exponent }: Scale, by: number): Scale {
  return { mantissa, exponent: exponent + by };
}
