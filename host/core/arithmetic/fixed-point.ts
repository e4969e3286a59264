import { FIXED_SHIFT_MAX, FIXED_SHIFT_MIN } from "../../../assembly/layout.ts";
import type { FixedScale } from "../image/image-types.ts";
import { ModelError } from "../system/errors.ts";

/**
 * A real scale ≥ 0 as the core applies it: multiplier in [2^30, 2^31), rounded half up, and shift.
 * 0 and scales below the smallest (2^(FIXED_SHIFT_MIN − 1)) become {0, 0}; one of 2^FIXED_SHIFT_MAX or more throws SCALE_TOO_LARGE.
 */
export function toFixedScale(scale: number): FixedScale {
  if (!(scale >= 0) || scale === Number.POSITIVE_INFINITY) {
    throw new ModelError(
      "BAD_SCALE",
      `a scale is ${scale}, and must be a finite number ≥ 0. Look for a NaN or a division by zero before export.`,
    );
  }
  if (scale < 2 ** (FIXED_SHIFT_MIN - 2)) return { multiplier: 0, shift: 0 };
  let shift = Math.floor(Math.log2(scale)) + 1; // scale = fraction · 2^shift; log2 may err by one next to a power of two
  while (scale >= 2 ** shift) shift += 1;
  while (scale < 2 ** (shift - 1)) shift -= 1;
  let multiplier = Math.floor(scale * 2 ** (31 - shift) + 0.5);
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift += 1;
  }
  if (shift < FIXED_SHIFT_MIN) return { multiplier: 0, shift: 0 };
  if (shift > FIXED_SHIFT_MAX) {
    throw new ModelError(
      "SCALE_TOO_LARGE",
      `a scale is ${scale}, and must be below ${2 ** FIXED_SHIFT_MAX}. Choose a larger output scale or smaller weights.`,
    );
  }
  return { multiplier, shift };
}

const INVERSE = Float64Array.from({ length: 47 }, (_, bits) => 2 ** -bits);
const HALF = Float64Array.from({ length: 47 }, (_, bits) => 2 ** (bits - 1));

/**
 * (acc · multiplier + 2^(30 − shift)) >> (31 − shift) of 64-bit integers, then the low 32 bits: half up.
 * acc s32, multiplier in [0, 2^31), shift FIXED_SHIFT_MIN … FIXED_SHIFT_MAX.
 * In float64 without a rounding: the multiplier's 16-bit halves give products below 2^47, and the lower 16 bits of the whole
 * product matter only where exactly 16 are dropped (half of anything longer is a multiple of 2^16).
 */
export function requantize(acc: number, multiplier: number, shift: number): number {
  const low = acc * (multiplier & 0xffff);
  const carry = Math.floor(low / 65536);
  const top = acc * (multiplier >> 16) + carry; // ⌊acc · multiplier / 2^16⌋
  const bits = 15 - shift;
  if (bits === 0) return (top + ((low - carry * 65536 + 32768) >>> 16)) | 0;
  return Math.floor((top + HALF[bits]!) * INVERSE[bits]!) | 0;
}

export function clampS8(x: number): number {
  return Math.max(-128, Math.min(127, x));
}

export function clampS16(x: number): number {
  return Math.max(-32768, Math.min(32767, x));
}
