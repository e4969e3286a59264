import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FIXED_SHIFT_MAX, FIXED_SHIFT_MIN } from "../../../../assembly/layout.ts";
import { clampS8, clampS16, requantize, toFixedScale } from "../../../../host/core/arithmetic/fixed-point.ts";
import { ModelError } from "../../../../host/core/system/errors.ts";

/** The spec's line, in 64-bit integers. */
function requantize64(acc: number, multiplier: number, shift: number): number {
  const right = BigInt(31 - shift);
  return Number(BigInt.asIntN(32, (BigInt(acc) * BigInt(multiplier) + (1n << (right - 1n))) >> right));
}

const s32 = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -5, max: 5 }), fc.constant(-(2 ** 31)));
const multipliers = fc.oneof(fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }), fc.constantFrom(0, 2 ** 30, 2 ** 31 - 1));
const shifts = fc.integer({ min: FIXED_SHIFT_MIN, max: FIXED_SHIFT_MAX });

describe("requantize", () => {
  it("equals the 64-bit formula for every accumulator, multiplier and shift", () => {
    fc.assert(
      fc.property(s32, multipliers, shifts, (acc, multiplier, shift) => {
        expect(requantize(acc, multiplier, shift)).toBe(requantize64(acc, multiplier, shift));
      }),
      { numRuns: 5000 },
    );
  });

  it("rounds half up, also below zero", () => {
    const half = [2 ** 30, 0] as const; // 0.5
    expect([-3, -1, 1, 3].map((acc) => requantize(acc, ...half))).toEqual([-1, 0, 1, 2]);
    expect(requantize(7, 2 ** 30, 1)).toBe(7); // 1.0
    expect(requantize(1, 2 ** 30, FIXED_SHIFT_MAX)).toBe(2 ** 14);
    expect(requantize(123456, 0, 0)).toBe(0);
  });
});

describe("toFixedScale", () => {
  it("gives back the scale within half a unit of the multiplier", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -31, max: 32767, noNaN: true }), (scale) => {
        const { multiplier, shift } = toFixedScale(scale);
        expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
        expect(multiplier).toBeLessThan(2 ** 31);
        expect(shift).toBeGreaterThanOrEqual(FIXED_SHIFT_MIN);
        expect(shift).toBeLessThanOrEqual(FIXED_SHIFT_MAX);
        expect(Math.abs(multiplier * 2 ** (shift - 31) - scale)).toBeLessThanOrEqual(2 ** (shift - 32));
      }),
      { numRuns: 2000 },
    );
  });

  it("puts powers of two at the smallest multiplier, and carries a rounding into the shift", () => {
    for (let power = -31; power <= 14; power++) expect(toFixedScale(2 ** power)).toEqual({ multiplier: 2 ** 30, shift: power + 1 });
    expect(toFixedScale(1 - 2 ** -40)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    expect(toFixedScale(2 ** -32)).toEqual({ multiplier: 2 ** 30, shift: -31 });
  });

  it("gives zero for zero and for what is too small, and throws for what is too large", () => {
    for (const scale of [0, -0, Number.MIN_VALUE, 2 ** -40, 2 ** -32 - 2 ** -60])
      expect(toFixedScale(scale)).toEqual({ multiplier: 0, shift: 0 });
    for (const scale of [2 ** 15, 1e300, 2 ** 15 - 2 ** -30, Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(() => toFixedScale(scale)).toThrow(ModelError);
    }
  });
});

it("clamps at the ends of s8 and s16", () => {
  expect([-129, -128, 0, 127, 128].map(clampS8)).toEqual([-128, -128, 0, 127, 127]);
  expect([-32769, -32768, 0, 32767, 32768].map(clampS16)).toEqual([-32768, -32768, 0, 32767, 32767]);
});
