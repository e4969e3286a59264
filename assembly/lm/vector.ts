// Vectors in block floating point: a *block* is int16 in [−32767, 32767] with one exponent, an *s8 vector* is int8 in [−127, 127] with one
// scale; its value is y·m·2^e/127, and the 1/127 lives in the next matrix's scale. Oracle: test/reference/lm/vector.ts, bit-exact.
import { linearS8 } from "../kernels/linear-s8";
import { Scale, clampTo, halfOf, q15, scaleOf } from "./scale";

// Rows of one call of linearS8, whose bias is zero.
const ROWS = 128;
const ZEROS = memory.data(ROWS << 2, 16);

/** acc (nOut) s32 = W·x. x (nIn) s8 readable up to nIn rounded up to 16, W (nOut, nIn) s8 at that stride. Needs: nIn ≤ LM_LIMIT_IN. */
export function matrix(x: usize, w: usize, acc: usize, nIn: i32, nOut: i32): void {
  const bytes = <usize>(((nIn + 15) & ~15) * ROWS);
  while (nOut > 0) {
    linearS8(x, w, ZEROS, acc, nIn, min<i32>(nOut, ROWS));
    w += bytes;
    acc += ROWS << 2;
    nOut -= ROWS;
  }
}

const PARTS = memory.data(ROWS << 2, 16);

/**
 * The same of weights in groups of columns, each row of a group with a factor of its own:
 * acc = Σ over groups of (W_g·x_g · factor + 128) >> 8. Weights (groups, nOut, groupSize) s8, the last group as wide as what is left, at a
 * stride of 16; factors (groups, nOut) u8. Needs: nOut a multiple of 4; groupSize 32 or 64, so that |W_g·x_g · factor| < 2^28.
 */
export function groupedMatrix(x: usize, w: usize, factors: usize, acc: usize, nIn: i32, nOut: i32, groupSize: i32): void {
  memory.fill(acc, 0, nOut << 2);
  for (let at = 0; at < nIn; at += groupSize) {
    const width = min<i32>(groupSize, nIn - at);
    const stride = (width + 15) & ~15;
    for (let row = 0; row < nOut; row += ROWS) {
      const rows = min<i32>(nOut - row, ROWS);
      linearS8(x + <usize>at, w + <usize>(row * stride), ZEROS, PARTS, width, rows);
      addScaled(acc + <usize>(row << 2), PARTS, factors + <usize>row, rows);
    }
    w += <usize>(nOut * stride);
    factors += <usize>nOut;
  }
}

/** acc (n) s32 += (parts (n) s32 · factors (n) u8 + 128) >> 8. */
function addScaled(acc: usize, parts: usize, factors: usize, n: i32): void {
  const end = acc + <usize>(n << 2);
  if (ASC_FEATURE_SIMD) {
    const half = i32x4.splat(128);
    for (; acc < end; acc += 16) {
      const factor = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(factors)));
      const product = i32x4.shr_s(i32x4.add(i32x4.mul(v128.load(parts), factor), half), 8);
      v128.store(acc, i32x4.add(v128.load(acc), product));
      parts += 16;
      factors += 4;
    }
  } else {
    for (; acc < end; acc += 4) {
      store<i32>(acc, load<i32>(acc) + ((load<i32>(parts) * <i32>load<u8>(factors) + 128) >> 8));
      parts += 4;
      factors += 1;
    }
  }
}

/** max |v| of v (n) s32. */
export function largestS32(v: usize, n: i32): u32 {
  let most: u32 = 0;
  let end = v + <usize>(n << 2);
  if (ASC_FEATURE_SIMD) {
    let m = i32x4.splat(0);
    const whole = v + <usize>((n & ~3) << 2);
    for (; v < whole; v += 16) m = i32x4.max_u(m, i32x4.abs(v128.load(v)));
    m = i32x4.max_u(m, v128.shuffle<i32>(m, m, 2, 3, 0, 1));
    m = i32x4.max_u(m, v128.shuffle<i32>(m, m, 1, 0, 3, 2));
    most = <u32>i32x4.extract_lane(m, 0);
  }
  for (; v < end; v += 4) most = max<u32>(most, <u32>abs<i32>(load<i32>(v)));
  return most;
}

/** max |a| of a (n) s16 in [−32767, 32767]; n a multiple of 4. */
export function largestS16(a: usize, n: i32): i32 {
  let end = a + <usize>(n << 1);
  if (ASC_FEATURE_SIMD) {
    let m = i16x8.splat(0);
    const whole = a + <usize>((n & ~7) << 1);
    for (; a < whole; a += 16) m = i16x8.max_s(m, i16x8.abs(v128.load(a)));
    if (n & 4) m = i16x8.max_s(m, i16x8.abs(v128.load64_zero(a)));
    m = i16x8.max_s(m, v128.shuffle<i16>(m, m, 4, 5, 6, 7, 0, 1, 2, 3));
    m = i16x8.max_s(m, v128.shuffle<i16>(m, m, 2, 3, 0, 1, 6, 7, 4, 5));
    return max<i32>(<i32>i16x8.extract_lane_s(m, 0), <i32>i16x8.extract_lane_s(m, 1));
  }
  let most = 0;
  for (; a < end; a += 2) most = max<i32>(most, abs<i32>(<i32>load<i16>(a)));
  return most;
}

/**
 * a (n) s16, a block of v (n) s32; with rows (n) s16 Q15, value i times rows[i]. Returns the exponent e: v = a·2^e.
 * Needs: |v| ≤ 2^30; n a multiple of 4; a may not overlap v.
 */
export function toBlock(v: usize, rows: usize, a: usize, n: i32): i32 {
  const most = largestS32(v, n);
  if (most == 0) {
    memory.fill(a, 0, n << 1);
    return 0;
  }
  const z = <i32>clz<u32>(most) - 17;
  const left = max<i32>(z, 0);
  const right = max<i32>(-z, 0);
  const half = halfOf(right);
  const end = a + <usize>(n << 1);
  if (ASC_FEATURE_SIMD) {
    const halves = i32x4.splat(half);
    const least = i16x8.splat(-32767);
    const whole = a + <usize>((n & ~7) << 1);
    while (a < whole) {
      const lo = i32x4.shr_s(i32x4.add(i32x4.shl(v128.load(v), left), halves), right);
      const hi = i32x4.shr_s(i32x4.add(i32x4.shl(v128.load(v, 16), left), halves), right);
      let block = i16x8.max_s(i16x8.narrow_i32x4_s(lo, hi), least);
      if (rows != 0) {
        block = i16x8.q15mulr_sat_s(block, v128.load(rows));
        rows += 16;
      }
      v128.store(a, block);
      v += 32;
      a += 16;
    }
    if (a < end) {
      const lo = i32x4.shr_s(i32x4.add(i32x4.shl(v128.load(v), left), halves), right);
      let block = i16x8.max_s(i16x8.narrow_i32x4_s(lo, lo), least);
      if (rows != 0) block = i16x8.q15mulr_sat_s(block, v128.load64_zero(rows));
      v128.store64_lane(a, block, 0);
    }
  } else {
    while (a < end) {
      let x = clampTo(((load<i32>(v) << left) + half) >> right, 32767);
      if (rows != 0) {
        x = q15(x, <i32>load<i16>(rows));
        rows += 2;
      }
      store<i16>(a, x);
      v += 4;
      a += 2;
    }
  }
  return right - left;
}

/**
 * y (n) s8 of a block a (n) s16 with exponent e. Returns the scale: a·2^e = y·m·2^e'/127. One division a vector.
 * Needs: n a multiple of 4. |y| ≤ 127, because (a << left)·r ≤ 127·2^22 and half a step is below 128.
 */
export function toS8(a: usize, y: usize, n: i32, e: i32): Scale {
  const most = largestS16(a, n);
  if (most == 0) {
    memory.fill(y, 0, n);
    return 0;
  }
  const left = <i32>clz<i32>(most) - 17;
  const m = most << left;
  const r = <i32>(<u32>(127 << 22) / <u32>m); // ≤ 32512
  const end = y + <usize>n;
  if (ASC_FEATURE_SIMD) {
    const factor = i16x8.splat(<i16>r);
    const half = i32x4.splat(1 << 21);
    const whole = y + <usize>(n & ~7);
    while (y < whole) {
      const x = i16x8.shl(v128.load(a), left);
      const lo = i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(x, factor), half), 22);
      const hi = i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(x, factor), half), 22);
      const narrow = i16x8.narrow_i32x4_s(lo, hi);
      v128.store64_lane(y, i8x16.narrow_i16x8_s(narrow, narrow), 0);
      a += 16;
      y += 8;
    }
    if (y < end) {
      const x = i16x8.shl(v128.load64_zero(a), left);
      const lo = i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(x, factor), half), 22);
      const narrow = i16x8.narrow_i32x4_s(lo, lo);
      v128.store32_lane(y, i8x16.narrow_i16x8_s(narrow, narrow), 0);
    }
  } else {
    while (y < end) {
      store<i8>(y, ((<i32>load<i16>(a) << left) * r + (1 << 21)) >> 22);
      a += 2;
      y += 1;
    }
  }
  return scaleOf(m, e - left);
}

/** a (n) s16 = q15(a, b); n a multiple of 4. */
export function multiplyQ15(a: usize, b: usize, n: i32): void {
  const end = a + <usize>(n << 1);
  if (ASC_FEATURE_SIMD) {
    const whole = a + <usize>((n & ~7) << 1);
    for (; a < whole; a += 16) {
      v128.store(a, i16x8.q15mulr_sat_s(v128.load(a), v128.load(b)));
      b += 16;
    }
    if (a < end) v128.store64_lane(a, i16x8.q15mulr_sat_s(v128.load64_zero(a), v128.load64_zero(b)), 0);
  } else {
    for (; a < end; a += 2) {
      store<i16>(a, q15(<i32>load<i16>(a), <i32>load<i16>(b)));
      b += 2;
    }
  }
}

/** a (n) s16 = q15(a, factor); n a multiple of 4. */
export function scaleQ15(a: usize, factor: i32, n: i32): void {
  const end = a + <usize>(n << 1);
  if (ASC_FEATURE_SIMD) {
    const factors = i16x8.splat(<i16>factor);
    const whole = a + <usize>((n & ~7) << 1);
    for (; a < whole; a += 16) v128.store(a, i16x8.q15mulr_sat_s(v128.load(a), factors));
    if (a < end) v128.store64_lane(a, i16x8.q15mulr_sat_s(v128.load64_zero(a), factors), 0);
  } else {
    for (; a < end; a += 2) store<i16>(a, q15(<i32>load<i16>(a), factor));
  }
}

/** v (n) s32 = clamp(v to 16 bits)·rows: accumulators of a matrix at their full products. */
export function scaleRows(v: usize, rows: usize, n: i32, left: i32, right: i32): void {
  const half = halfOf(right);
  const end = v + <usize>(n << 2);
  if (ASC_FEATURE_SIMD) {
    const halves = i32x4.splat(half);
    const cap = i32x4.splat(32767);
    const least = i32x4.splat(-32767);
    for (const whole = v + <usize>((n & ~3) << 2); v < whole; v += 16) {
      const x = i32x4.shr_s(i32x4.add(i32x4.shl(v128.load(v), left), halves), right);
      v128.store(v, i32x4.mul(i32x4.max_s(i32x4.min_s(x, cap), least), v128.load_ext<i16>(rows)));
      rows += 8;
    }
  }
  for (; v < end; v += 4) {
    store<i32>(v, clampTo(((load<i32>(v) << left) + half) >> right, 32767) * <i32>load<i16>(rows));
    rows += 2;
  }
}
