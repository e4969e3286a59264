import { word } from "../words";
import { LINEAR_BIAS, LINEAR_MULTIPLIER, LINEAR_N_IN, LINEAR_N_OUT, LINEAR_SHIFT, LINEAR_WEIGHTS } from "../layout";
import { ROW16 } from "./lanes";
import { requantize8 } from "./requantize-lanes";

// A linear over LANES sequences: each weight row is read once for all of them.

/** Bytes of a LINEAR record's weights as pairs of s16: (nOut, ⌈nIn / 2⌉, 2). */
export function wideBytes(record: usize): u32 {
  return (word(record, LINEAR_N_OUT) * ((word(record, LINEAR_N_IN) + 1) >> 1)) << 2;
}

/** Writes them: the pair of inputs 2p, 2p + 1 as one 32-bit word, which `dot` needs in every lane. An odd last input is paired with 0. */
export function widenWeights(image: usize, record: usize, wide: usize): void {
  const nIn = word(record, LINEAR_N_IN);
  const stride = <usize>((nIn + 15) & ~15);
  let w = image + word(record, LINEAR_WEIGHTS);
  for (let row = word(record, LINEAR_N_OUT); row > 0; row--) {
    for (let i = 0; i < nIn; i += 2) {
      store<i16>(wide, load<i8>(w + <usize>i), 0);
      store<i16>(wide, i + 1 < nIn ? load<i8>(w + <usize>i, 1) : 0, 2);
      wide += 4;
    }
    w += stride;
  }
}

/** One row's sums, requantised: y (LANES) s16 = or += clamp(requantize(sum + bias)). */
// @ts-ignore: decorator
@inline
function settle(image: usize, record: usize, row: i32, lo: v128, hi: v128, y: usize, s8Rows: i32, isAdded: bool): void {
  const at = <usize>row;
  const bias = v128.load32_splat(image + word(record, LINEAR_BIAS) + (at << 2));
  const multiplier = load<i32>(image + word(record, LINEAR_MULTIPLIER) + (at << 2));
  const shift = <i32>load<i8>(image + word(record, LINEAR_SHIFT) + at);
  const isNarrow = row < s8Rows;
  const low = i16x8.splat(isNarrow ? -128 : -32768);
  const high = i16x8.splat(isNarrow ? 127 : 32767);
  const q = requantize8(i32x4.add(lo, bias), i32x4.add(hi, bias), multiplier, shift, low, high);
  const to = y + at * ROW16;
  v128.store(to, isAdded ? i16x8.add_sat_s(v128.load(to), q) : q);
}

/**
 * y (nOut, LANES) s16 = requantize(W·x + b), the first `s8Rows` rows kept in int8; with `isAdded` y is added to, as a block joins the residual.
 *   x    (⌈nIn / 2⌉, LANES, 2) s16   pairs of inputs, an odd last one with 0
 *   wide (nOut, ⌈nIn / 2⌉, 2)  s16   widenWeights
 * Needs what linearS8 and requantize need: |W·x + b| < 2^31. Oracle: linearS8 and requantizeS8/S16/AddS16, lane by lane.
 */
export function linearLanes(image: usize, record: usize, wide: usize, x: usize, y: usize, s8Rows: i32, isAdded: bool): void {
  const pairs = <usize>((word(record, LINEAR_N_IN) + 1) >> 1);
  const nOut = word(record, LINEAR_N_OUT);
  const rowBytes = pairs << 2;
  const end = x + (pairs << 5);
  let row = 0;
  let w = wide;
  // Four rows at once: eight sums, so that no addition waits for the one before.
  for (; row + 4 <= nOut; row += 4) {
    const w1 = rowBytes;
    const w2 = rowBytes << 1;
    const w3 = w1 + w2;
    let a0 = i32x4.splat(0);
    let b0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    let a2 = i32x4.splat(0);
    let b2 = i32x4.splat(0);
    let a3 = i32x4.splat(0);
    let b3 = i32x4.splat(0);
    let p = w;
    for (let at = x; at < end; at += 32) {
      const lo = v128.load(at);
      const hi = v128.load(at, 16);
      const v0 = v128.load32_splat(p);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(lo, v0));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(hi, v0));
      const v1 = v128.load32_splat(p + w1);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(lo, v1));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(hi, v1));
      const v2 = v128.load32_splat(p + w2);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(lo, v2));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(hi, v2));
      const v3 = v128.load32_splat(p + w3);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(lo, v3));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(hi, v3));
      p += 4;
    }
    settle(image, record, row, a0, b0, y, s8Rows, isAdded);
    settle(image, record, row + 1, a1, b1, y, s8Rows, isAdded);
    settle(image, record, row + 2, a2, b2, y, s8Rows, isAdded);
    settle(image, record, row + 3, a3, b3, y, s8Rows, isAdded);
    w += rowBytes << 2;
  }
  for (; row < nOut; row++) {
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    let p = w;
    for (let at = x; at < end; at += 32) {
      const v = v128.load32_splat(p);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load(at), v));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load(at, 16), v));
      p += 4;
    }
    settle(image, record, row, a, b, y, s8Rows, isAdded);
    w += rowBytes;
  }
}

/** One row of pairs: inputs 2p and 2p + 1 of all lanes, (LANES) s16 each, side by side. */
// @ts-ignore: decorator
@inline
export function storePair(x: usize, even: v128, odd: v128): void {
  v128.store(x, v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(x, v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

/** x (n, LANES) s16 as pairs. */
export function pairUp(from: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i += 2) {
    storePair(x, v128.load(from), i + 1 < n ? v128.load(from, 16) : i16x8.splat(0));
    from += 2 * ROW16;
    x += 32;
  }
}
