// Attention of one position over a plain ring of int8 keys and values, each head vector with a scale of its own in a unit of the block's
// (2^unit). The two largest loops have no shuffle and no horizontal sum:
//   keys    blocks of 4 positions: (pair of elements, position, 2) s8
//   values  blocks of 2 positions: (element, position) s8
//   scales  (position) u16, below 2^15
// Oracle: test/reference/lm/attention.ts, bit-exact. Sources: attention, arXiv:1706.03762; grouped queries, arXiv:2305.13245.
import { exp2NegQ14, exp2NegQ14x8 } from "./exp2";
import { Scale, clampTo, exponentOf, halfOf, mantissaOf, q15, shiftOf } from "./scale";
import { largestS32 } from "./vector";

/** A vector's scale in units of 2^unit: below 2^15, where it saturates. */
export function inUnits(scale: Scale, unit: i32): i32 {
  const s = exponentOf(scale) - unit;
  const m = mantissaOf(scale);
  if (s > 0) return m == 0 ? 0 : 32767;
  const right = min<i32>(-s, 31);
  return (m + halfOf(right)) >> right;
}

/** key (headSize) s8 to its slot. */
export function storeKey(keys: usize, slot: u32, key: usize, headSize: i32): void {
  let to = keys + (slot >> 2) * <u32>(headSize << 2) + ((slot & 3) << 1);
  for (const end = key + <usize>headSize; key < end; key += 2) {
    store<u16>(to, load<u16>(key));
    to += 8;
  }
}

/** value (headSize) s8 to its slot. */
export function storeValue(values: usize, slot: u32, value: usize, headSize: i32): void {
  let to = values + (slot >> 1) * <u32>(headSize << 1) + (slot & 1);
  for (const end = value + <usize>headSize; value < end; value++) {
    store<u8>(to, load<u8>(value));
    to += 2;
  }
}

/** The left shift that brings the largest of n scales (u16) to [2^14, 2^15). Reads exactly n: a slot not yet written may hold anything. */
export function scaleShift(scales: usize, n: i32): i32 {
  let most: u32 = 1;
  const end = scales + <usize>(n << 1);
  if (ASC_FEATURE_SIMD) {
    let m = i16x8.splat(1);
    const whole = scales + <usize>((n & ~7) << 1);
    for (; scales < whole; scales += 16) m = i16x8.max_u(m, v128.load(scales));
    m = i16x8.max_u(m, v128.shuffle<i16>(m, m, 4, 5, 6, 7, 0, 1, 2, 3));
    m = i16x8.max_u(m, v128.shuffle<i16>(m, m, 2, 3, 0, 1, 6, 7, 4, 5));
    most = max<u32>(<u32>i16x8.extract_lane_u(m, 0), <u32>i16x8.extract_lane_u(m, 1));
  }
  for (; scales < end; scales += 2) most = max<u32>(most, <u32>load<u16>(scales));
  return <i32>clz<u32>(most) - 17;
}

/** q·k of four positions, of the first four pairs. */
// @ts-ignore: decorator
@inline
function firstPairs(q0: v128, q1: v128, q2: v128, q3: v128, keys: usize): v128 {
  const lo = i32x4.add(i32x4.dot_i16x8_s(v128.load_ext<i8>(keys), q0), i32x4.dot_i16x8_s(v128.load_ext<i8>(keys, 8), q1));
  const hi = i32x4.add(i32x4.dot_i16x8_s(v128.load_ext<i8>(keys, 16), q2), i32x4.dot_i16x8_s(v128.load_ext<i8>(keys, 24), q3));
  return i32x4.add(lo, hi);
}

/** The same of the pairs from `q` to `end`, a multiple of four. */
function otherPairs(q: usize, end: usize, keys: usize): v128 {
  let sum = i32x4.splat(0);
  for (; q < end; q += 16) {
    const pairs = firstPairs(
      v128.load32_splat(q), v128.load32_splat(q, 4), v128.load32_splat(q, 8), v128.load32_splat(q, 12), keys,
    );
    sum = i32x4.add(sum, pairs);
    keys += 32;
  }
  return sum;
}

/** Sums of q·k of n positions, shifted right by d and times the key's scale: scores (n up to the block) s32. Returns the largest of n. */
function scoreAll(q: usize, keys: usize, scales: usize, scores: usize, n: i32, headSize: i32, d: i32): i32 {
  const half = halfOf(d);
  let most = i32.MIN_VALUE;
  const end = scores + <usize>(n << 2);
  if (ASC_FEATURE_SIMD) {
    const halves = i32x4.splat(half);
    const whole = scores + <usize>((n & ~3) << 2);
    const block = <usize>(headSize << 2);
    const q0 = v128.load32_splat(q); // the first four pairs stay in registers: all of a head of 8
    const q1 = v128.load32_splat(q, 4);
    const q2 = v128.load32_splat(q, 8);
    const q3 = v128.load32_splat(q, 12);
    const rest = q + 16;
    const qEnd = q + <usize>(headSize << 1);
    let mosts = i32x4.splat(most);
    let at = scores;
    for (; at < whole; at += 16) {
      const sum = i32x4.add(firstPairs(q0, q1, q2, q3, keys), halves);
      const all = headSize == 8 ? sum : i32x4.add(sum, otherPairs(rest, qEnd, keys + 32));
      const score = i32x4.mul(i32x4.shr_s(all, d), v128.load_ext<u16>(scales));
      v128.store(at, score);
      mosts = i32x4.max_s(mosts, score);
      keys += block;
      scales += 8;
    }
    if (at < end) {
      const sum = i32x4.add(firstPairs(q0, q1, q2, q3, keys), halves);
      const all = headSize == 8 ? sum : i32x4.add(sum, otherPairs(rest, qEnd, keys + 32));
      v128.store(at, i32x4.mul(i32x4.shr_s(all, d), v128.load_ext<u16>(scales)));
    }
    mosts = i32x4.max_s(mosts, v128.shuffle<i32>(mosts, mosts, 2, 3, 0, 1));
    mosts = i32x4.max_s(mosts, v128.shuffle<i32>(mosts, mosts, 1, 0, 3, 2));
    most = i32x4.extract_lane(mosts, 0);
    for (at = whole; at < end; at += 4) most = max<i32>(most, load<i32>(at));
  } else {
    const block = <usize>(headSize << 2);
    for (let at = scores; at < end; keys += block) {
      for (let p: usize = 0; p < 8 && at < end; p += 2) {
        let sum = 0;
        let k = keys + p;
        for (let i: usize = 0; i < <usize>(headSize << 1); i += 4) {
          sum += <i32>load<i16>(q + i) * <i32>load<i8>(k) + <i32>load<i16>(q + i, 2) * <i32>load<i8>(k, 1);
          k += 8;
        }
        const score = ((sum + half) >> d) * <i32>load<u16>(scales);
        store<i32>(at, score);
        most = max<i32>(most, score);
        at += 4;
        scales += 2;
      }
    }
  }
  return most;
}

/** 2^−z of eight scores; `mosts` is the largest score and half a step. Each difference is below 2^31, so that it saturates at 32767. */
// @ts-ignore: decorator
@inline
function powers(mosts: v128, scores: usize, s: i32): v128 {
  const lo = i32x4.shr_u(i32x4.sub(mosts, v128.load(scores)), s);
  const hi = i32x4.shr_u(i32x4.sub(mosts, v128.load(scores, 16)), s);
  return exp2NegQ14x8(i16x8.narrow_i32x4_s(lo, hi));
}

/**
 * Weights of n scores: p = 2^−z, z = (most − score) >> s in Q11; pv (n up to 8) s16 = q15(p, value scale << vShift), zero past n.
 * Returns Σp.
 */
function weigh(scores: usize, scales: usize, pv: usize, n: i32, most: i32, s: i32, vShift: i32): u32 {
  let sum: u32 = 0;
  const half = <u32>halfOf(s);
  const end = pv + <usize>(n << 1);
  if (ASC_FEATURE_SIMD) {
    const mosts = i32x4.splat(most + <i32>half); // modulo 2^32
    const ones = i16x8.splat(1);
    let sums = i32x4.splat(0);
    for (const whole = pv + <usize>((n & ~7) << 1); pv < whole; pv += 16) {
      const p = powers(mosts, scores, s);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(p, ones));
      v128.store(pv, i16x8.q15mulr_sat_s(p, i16x8.shl(v128.load(scales), vShift)));
      scores += 32;
      scales += 16;
    }
    if (n & 7) {
      const isSeen = i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>(n & 7)));
      const p = v128.and(powers(mosts, scores, s), isSeen);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(p, ones));
      v128.store(pv, i16x8.q15mulr_sat_s(p, i16x8.shl(v128.load(scales), vShift)));
    }
    sums = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
    sum = <u32>(i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1));
  } else {
    for (; pv < end; pv += 2) {
      const z = <i32>min<u32>((<u32>(most - load<i32>(scores)) + half) >> s, 32767);
      const p = exp2NegQ14(z);
      sum += <u32>p;
      store<i16>(pv, q15(p, <i32>load<u16>(scales) << vShift));
      scores += 4;
      scales += 2;
    }
    if (n & 1) store<i16>(pv, 0);
  }
  return sum;
}

/** o (headSize) s32 = Σ pv·v of n positions. */
function mix(pv: usize, values: usize, o: usize, n: i32, headSize: i32): void {
  const end = pv + <usize>(n << 1);
  const stride = <usize>(headSize << 1);
  if (ASC_FEATURE_SIMD) {
    for (const oEnd = o + <usize>(headSize << 2); o < oEnd; o += 32) {
      let lo = i32x4.splat(0);
      let hi = i32x4.splat(0);
      let v = values;
      for (let p = pv; p < end; p += 16) { // weights past n are zero up to a multiple of eight
        const w0 = v128.load32_splat(p);
        const w1 = v128.load32_splat(p, 4);
        const w2 = v128.load32_splat(p, 8);
        const w3 = v128.load32_splat(p, 12);
        const v1 = v + stride;
        const v2 = v1 + stride;
        const v3 = v2 + stride;
        const lo01 = i32x4.add(i32x4.dot_i16x8_s(v128.load_ext<i8>(v), w0), i32x4.dot_i16x8_s(v128.load_ext<i8>(v1), w1));
        const lo23 = i32x4.add(i32x4.dot_i16x8_s(v128.load_ext<i8>(v2), w2), i32x4.dot_i16x8_s(v128.load_ext<i8>(v3), w3));
        const hi01 = i32x4.add(i32x4.dot_i16x8_s(v128.load_ext<i8>(v, 8), w0), i32x4.dot_i16x8_s(v128.load_ext<i8>(v1, 8), w1));
        const hi23 = i32x4.add(i32x4.dot_i16x8_s(v128.load_ext<i8>(v2, 8), w2), i32x4.dot_i16x8_s(v128.load_ext<i8>(v3, 8), w3));
        lo = i32x4.add(lo, i32x4.add(lo01, lo23));
        hi = i32x4.add(hi, i32x4.add(hi01, hi23));
        v = v3 + stride;
      }
      v128.store(o, lo);
      v128.store(o, hi, 16);
      values += 16;
    }
  } else {
    for (let i: usize = 0; i < <usize>headSize; i++) {
      let sum = 0;
      let v = values + (i << 1);
      for (let p = pv; p < end; p += 4) {
        sum += <i32>load<i16>(p) * <i32>load<i8>(v) + <i32>load<i16>(p, 2) * <i32>load<i8>(v, 1);
        v += stride;
      }
      store<i32>(o + (i << 2), sum);
    }
  }
}

/**
 * One head: o (headSize) s32 = softmax(q·k)·v in units of 2^(valueUnit − 6), at most 2^28.
 *   q (headSize) s16; 2^(qExponent + keyUnit) is one unit of q·k·(key scale) in bits of the exponent
 *   scores (window) s32, pv (window) s16 scratch
 *   kShift, vShift  scaleShift of the key and value scales
 * Needs: 1 ≤ n ≤ LM_LIMIT_WINDOW, headSize ≤ LM_LIMIT_HEAD_SIZE, so that no sum reaches 2^31.
 */
export function attendHead(
  q: usize, keys: usize, values: usize, keyScales: usize, valueScales: usize, scores: usize, pv: usize, o: usize,
  n: i32, headSize: i32, qExponent: i32, keyUnit: i32, kShift: i32, vShift: i32,
): void {
  const bits = 32 - <i32>clz<i32>(headSize - 1); // ⌈log2 headSize⌉
  const d = max<i32>(0, 7 + bits - kShift);
  const most = scoreAll(q, keys, keyScales, scores, n, headSize, d);
  const sum = weigh(scores, valueScales, pv, n, most, shiftOf(-(d + qExponent + keyUnit + 11)), vShift);
  mix(pv, values, o, n, headSize);
  // o / Σp: o to 16 bits, Σp to [2^15, 2^16).
  const z = <i32>clz<u32>(max<u32>(largestS32(o, headSize), 1)) - 17;
  const left = max<i32>(z, 0);
  const right = max<i32>(-z, 0);
  const half = halfOf(right);
  const k = 16 - <i32>clz<u32>(sum);
  const reciprocal = <i32>((1 << 30) / (k >= 0 ? sum >> k : sum << -k));
  const s = shiftOf(9 + vShift + k - right + left);
  const sHalf = halfOf(s);
  const end = o + <usize>(headSize << 2);
  if (ASC_FEATURE_SIMD) {
    const halves = i32x4.splat(half);
    const cap = i32x4.splat(32767);
    const least = i32x4.splat(-32767);
    const factor = i32x4.splat(reciprocal);
    const sHalves = i32x4.splat(sHalf);
    for (; o < end; o += 16) {
      const x = i32x4.shr_s(i32x4.add(i32x4.shl(v128.load(o), left), halves), right);
      const product = i32x4.mul(i32x4.max_s(i32x4.min_s(x, cap), least), factor);
      v128.store(o, i32x4.shr_s(i32x4.add(product, sHalves), s));
    }
  } else {
    for (; o < end; o += 4) {
      const x = clampTo(((load<i32>(o) << left) + half) >> right, 32767);
      store<i32>(o, (x * reciprocal + sHalf) >> s);
    }
  }
}
