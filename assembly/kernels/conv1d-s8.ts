import * as external from "./external";
import { factors16, halfOf, leastShift, rows8 } from "./lanes";
import { clampS8, requantize } from "./requantize";

/**
 * One step of a causal depthwise convolution, then SiLU by table.
 *   state (taps − 1, channels) s8   the inputs before this one, oldest first; advanced by one on return
 *   x     (channels,)          s8   the present input
 *   w     (taps, channels)     s8   tap-major; the last tap is the present
 *   bias, multiplier (channels,) s32; shift (channels,) s8
 *   table (256,)               s8   SiLU, indexed by q + 128
 *   y     (channels,)          s8   does not overlap state or x
 *   lanes                            the channels keep to what lanes.ts needs
 * Rounding: once a channel. Oracle: test/reference/conv1d-s8.ts. Source: arXiv:2312.00752 §3.4.
 */
export function conv1dS8(
  state: usize, x: usize, w: usize, bias: usize, multiplier: usize, shift: usize, table: usize, y: usize, channels: i32, taps: i32,
  lanes: bool,
): void {
  if (isDefined(LINK_KERNELS)) return external.conv1dS8(state, x, w, bias, multiplier, shift, table, y, channels, taps);
  const row = <usize>channels;
  const past = taps - 1;
  let c: usize = 0;
  if (ASC_FEATURE_SIMD) {
    if (lanes && channels >= 16) {
      const least = leastShift(shift, channels & ~15);
      const leasts = i8x16.splat(<i8>least);
      const places = -1 - least;
      const half = halfOf(places);
      for (; c + 16 <= row; c += 16) {
        let a0 = v128.load(bias + (c << 2));
        let a1 = v128.load(bias + (c << 2), 16);
        let a2 = v128.load(bias + (c << 2), 32);
        let a3 = v128.load(bias + (c << 2), 48);
        let s = state + c;
        let k = w + c;
        // Two taps at once: a product of pairs is one instruction. A last one alone is paired with zeros.
        for (let t = 0; t < taps; t += 2) {
          const isLast = t + 1 == taps;
          const s0 = v128.load(t == past ? x + c : s);
          const s1 = isLast ? i32x4.splat(0) : v128.load(t + 1 == past ? x + c : s + row);
          const k0 = v128.load(k);
          const k1 = isLast ? i32x4.splat(0) : v128.load(k + row);
          const sLow = v128.shuffle<i8>(s0, s1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
          const sHigh = v128.shuffle<i8>(s0, s1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
          const kLow = v128.shuffle<i8>(k0, k1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
          const kHigh = v128.shuffle<i8>(k0, k1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(sLow), i16x8.extend_low_i8x16_s(kLow)));
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(sLow), i16x8.extend_high_i8x16_s(kLow)));
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(sHigh), i16x8.extend_low_i8x16_s(kHigh)));
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(sHigh), i16x8.extend_high_i8x16_s(kHigh)));
          s += row << 1;
          k += row << 1;
        }
        const m = multiplier + (c << 2);
        const factors = factors16(shift + c, leasts);
        const low = rows8(a0, a1, m, i16x8.extend_low_i8x16_u(factors), half, places);
        const high = rows8(a2, a3, m + 32, i16x8.extend_high_i8x16_u(factors), half, places);
        v128.store(y + c, i8x16.narrow_i16x8_s(low, high));
        for (let i = c; i < c + 16; i++) store<i8>(y + i, load<i8>(table + 128 + <usize><i32>load<i8>(y + i)));
      }
    }
  }
  for (; c < row; c++) {
    let acc = load<i32>(bias + (c << 2));
    let s = state + c;
    let k = w + c;
    for (let t = 0; t < past; t++) {
      acc += <i32>load<i8>(k) * <i32>load<i8>(s);
      s += row;
      k += row;
    }
    acc += <i32>load<i8>(k) * <i32>load<i8>(x + c);
    const q = clampS8(requantize(acc, load<i32>(multiplier + (c << 2)), <i32>load<i8>(shift + c)));
    store<i8>(y + c, load<i8>(table + <usize>(q + 128)));
  }
  if (past > 0) {
    memory.copy(state, state + row, <usize>(past - 1) * row);
    memory.copy(state + <usize>(past - 1) * row, x, row);
  }
}
