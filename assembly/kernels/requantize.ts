import * as external from "./external";
import { factors16, halfOf, leastShift, rows8 } from "./lanes";

/**
 * The one rounding of scales: acc · multiplier · 2^(shift − 31), half up.
 *   multiplier  Q31 in [2^30, 2^31), or 0 where the row is always zero
 *   shift       positive = left, −31 … 15
 * Needs: |acc| · 2^max(shift, 0) < 2^31 (prepare has checked the largest possible acc).
 * Oracle: host/core/arithmetic/fixed-point.ts, bit-exact. Source: arXiv:1712.05877 §2.2.
 */
// @ts-ignore: decorator
@inline
export function requantize(acc: i32, multiplier: i32, shift: i32): i32 {
  const right = <i64>(31 - shift);
  return <i32>((<i64>acc * <i64>multiplier + ((<i64>1) << (right - 1))) >> right);
}

// @ts-ignore: decorator
@inline
export function clampS8(x: i32): i32 {
  return min<i32>(max<i32>(x, -128), 127);
}

// @ts-ignore: decorator
@inline
export function clampS16(x: i32): i32 {
  return min<i32>(max<i32>(x, -32768), 32767);
}

/** y (n) s8 = clampS8(requantize(acc (n) s32)), one scale per row. `lanes`: the rows keep to what lanes.ts needs. */
export function requantizeS8(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32, lanes: bool): void {
  if (isDefined(LINK_KERNELS)) return external.requantizeS8(acc, multiplier, shift, y, n);
  if (ASC_FEATURE_SIMD) {
    if (lanes && n >= 16) {
      const least = leastShift(shift, n & ~15);
      const leasts = i8x16.splat(<i8>least);
      const places = -1 - least;
      const half = halfOf(places);
      for (; n >= 16; n -= 16) {
        const factors = factors16(shift, leasts);
        const low = rows8(v128.load(acc), v128.load(acc, 16), multiplier, i16x8.extend_low_i8x16_u(factors), half, places);
        const high = rows8(v128.load(acc, 32), v128.load(acc, 48), multiplier + 32, i16x8.extend_high_i8x16_u(factors), half, places);
        v128.store(y, i8x16.narrow_i16x8_s(low, high));
        acc += 64;
        multiplier += 64;
        shift += 16;
        y += 16;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    store<i8>(y, clampS8(requantize(load<i32>(acc), load<i32>(multiplier), <i32>load<i8>(shift))));
    acc += 4;
    multiplier += 4;
    shift += 1;
    y += 1;
  }
}

/** y (n) s16 = clampS16(requantize(acc (n) s32)), one scale per row. */
export function requantizeS16(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32): void {
  if (isDefined(LINK_KERNELS)) return external.requantizeS16(acc, multiplier, shift, y, n);
  for (let i = 0; i < n; i++) {
    store<i16>(y, clampS16(requantize(load<i32>(acc), load<i32>(multiplier), <i32>load<i8>(shift))));
    acc += 4;
    multiplier += 4;
    shift += 1;
    y += 2;
  }
}

/** y (n) s16 = clampS16(y + clampS16(requantize(acc (n) s32))): how a block joins the residual stream. `lanes` as above. */
export function requantizeAddS16(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32, lanes: bool): void {
  if (isDefined(LINK_KERNELS)) return external.requantizeAddS16(acc, multiplier, shift, y, n);
  if (ASC_FEATURE_SIMD) {
    if (lanes && n >= 16) {
      const least = leastShift(shift, n & ~15);
      const leasts = i8x16.splat(<i8>least);
      const places = -1 - least;
      const half = halfOf(places);
      for (; n >= 16; n -= 16) {
        const factors = factors16(shift, leasts);
        const low = rows8(v128.load(acc), v128.load(acc, 16), multiplier, i16x8.extend_low_i8x16_u(factors), half, places);
        const high = rows8(v128.load(acc, 32), v128.load(acc, 48), multiplier + 32, i16x8.extend_high_i8x16_u(factors), half, places);
        v128.store(y, i16x8.add_sat_s(v128.load(y), low));
        v128.store(y, i16x8.add_sat_s(v128.load(y, 16), high), 16);
        acc += 64;
        multiplier += 64;
        shift += 16;
        y += 32;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    const add = clampS16(requantize(load<i32>(acc), load<i32>(multiplier), <i32>load<i8>(shift)));
    store<i16>(y, clampS16(<i32>load<i16>(y) + add));
    acc += 4;
    multiplier += 4;
    shift += 1;
    y += 2;
  }
}
