import * as external from "./external";

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

/** y (n) s8 = clampS8(requantize(acc (n) s32)), one scale per row. */
export function requantizeS8(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32): void {
  if (isDefined(LINK_KERNELS)) return external.requantizeS8(acc, multiplier, shift, y, n);
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

/** y (n) s16 = clampS16(y + clampS16(requantize(acc (n) s32))): how a block joins the residual stream. */
export function requantizeAddS16(acc: usize, multiplier: usize, shift: usize, y: usize, n: i32): void {
  if (isDefined(LINK_KERNELS)) return external.requantizeAddS16(acc, multiplier, shift, y, n);
  for (let i = 0; i < n; i++) {
    const add = clampS16(requantize(load<i32>(acc), load<i32>(multiplier), <i32>load<i8>(shift)));
    store<i16>(y, clampS16(<i32>load<i16>(y) + add));
    acc += 4;
    multiplier += 4;
    shift += 1;
    y += 2;
  }
}
