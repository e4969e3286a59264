// Fixed point without floats: a value is a small integer times a scale m·2^e, the mantissa m in [2^14, 2^15) or 0. Rounding is half up.

/** A scale in one word: m in the low half, e in the high half. */
export type Scale = i32;

// @ts-ignore: decorator
@inline
export function scaleOf(mantissa: i32, exponent: i32): Scale {
  return (exponent << 16) | mantissa;
}

// @ts-ignore: decorator
@inline
export function mantissaOf(scale: Scale): i32 {
  return scale & 0xffff;
}

// @ts-ignore: decorator
@inline
export function exponentOf(scale: Scale): i32 {
  return scale >> 16;
}

/** The scale with `by` added to its exponent. */
// @ts-ignore: decorator
@inline
export function raised(scale: Scale, by: i32): Scale {
  return scale + (by << 16);
}

/** The scale that a record has at a word. */
export function scaleAt(record: usize, index: i32): Scale {
  const at = record + <usize>(index << 2);
  return scaleOf(load<i32>(at), load<i32>(at, 4));
}

export function mulScale(a: Scale, b: Scale): Scale {
  const p = mantissaOf(a) * mantissaOf(b); // < 2^30
  const exponent = exponentOf(a) + exponentOf(b);
  if (p >= 1 << 29) return scaleOf(min<i32>((p + (1 << 14)) >> 15, 32767), exponent + 15);
  return scaleOf(min<i32>((p + (1 << 13)) >> 14, 32767), exponent + 14);
}

/** (a·b + 2^14) >> 15: i16x8.q15mulr_sat_s of one lane. */
// @ts-ignore: decorator
@inline
export function q15(a: i32, b: i32): i32 {
  return (a * b + 0x4000) >> 15;
}

/** What is added before a right shift by s in 0 … 31, so that it rounds half up. */
// @ts-ignore: decorator
@inline
export function halfOf(s: i32): i32 {
  return s > 0 ? 1 << (s - 1) : 0;
}

// @ts-ignore: decorator
@inline
export function clampTo(v: i32, most: i32): i32 {
  return min<i32>(max<i32>(v, -most), most);
}

/** Keeps a shift within what a shift instruction takes. */
// @ts-ignore: decorator
@inline
export function shiftOf(s: i32): i32 {
  return min<i32>(max<i32>(s, 0), 31);
}
