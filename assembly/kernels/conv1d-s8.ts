import * as external from "./external";
import { clampS8, requantize } from "./requantize";

/**
 * One step of a causal depthwise convolution, then SiLU by table.
 *   state (taps − 1, channels) s8   the inputs before this one, oldest first; advanced by one on return
 *   x     (channels,)          s8   the present input
 *   w     (taps, channels)     s8   tap-major; the last tap is the present
 *   bias, multiplier (channels,) s32; shift (channels,) s8
 *   table (256,)               s8   SiLU, indexed by q + 128
 *   y     (channels,)          s8   does not overlap state or x
 * Rounding: once a channel. Oracle: test/reference/conv1d-s8.ts. Source: arXiv:2312.00752 §3.4.
 */
export function conv1dS8(
  state: usize, x: usize, w: usize, bias: usize, multiplier: usize, shift: usize, table: usize, y: usize, channels: i32, taps: i32,
): void {
  if (isDefined(LINK_KERNELS)) return external.conv1dS8(state, x, w, bias, multiplier, shift, table, y, channels, taps);
  const row = <usize>channels;
  const past = taps - 1;
  for (let c: usize = 0; c < row; c++) {
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
