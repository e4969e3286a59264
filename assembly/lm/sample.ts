// Which token comes next. Tokens are ordered by z = (largest logit − logit)·log2(e)/temperature in Q11, then by index; top-k keeps a prefix
// of that order, top-p the shortest prefix of what top-k left that has its share of the probability. Integers, and no sort: the place of a
// cut is found four bits of z at a time. Oracle: test/reference/lm/sample.ts, bit-exact.
import { exp2FractionQ15 } from "./exp2";
import { Lm } from "./context";
import * as M from "./layout";
import { Scale, exponentOf, mantissaOf, mulScale } from "./scale";

const DIGITS = 16;
const COUNTS = memory.data(DIGITS * 4, 4);
const SUMS = memory.data(DIGITS * 8, 8);

// What is kept: z below cutZ, and the first cutTies tokens with z = cutZ.
let cutZ = 0;
let cutTies = 0;

// @ts-ignore: decorator
@inline
function isAllowed(lm: Lm, token: i32): bool {
  return lm.isMasked == 0 || ((load<u8>(lm.mask + <usize>(token >> 3)) >> <u8>(token & 7)) & 1) != 0;
}

/** Index of the first of the largest of v (n) s32. */
function firstLargest(v: usize, n: i32): i32 {
  let most = load<i32>(v);
  const end = v + <usize>(n << 2);
  let p = v;
  if (ASC_FEATURE_SIMD) {
    const whole = v + <usize>((n & ~3) << 2);
    let mosts = i32x4.splat(most);
    for (; p < whole; p += 16) mosts = i32x4.max_s(mosts, v128.load(p));
    mosts = i32x4.max_s(mosts, v128.shuffle<i32>(mosts, mosts, 2, 3, 0, 1));
    mosts = i32x4.max_s(mosts, v128.shuffle<i32>(mosts, mosts, 1, 0, 3, 2));
    most = i32x4.extract_lane(mosts, 0);
  }
  for (; p < end; p += 4) most = max<i32>(most, load<i32>(p));
  p = v;
  if (ASC_FEATURE_SIMD) {
    const mosts = i32x4.splat(most);
    for (const whole = v + <usize>((n & ~3) << 2); p < whole; p += 16) if (v128.any_true(i32x4.eq(v128.load(p), mosts))) break;
  }
  while (load<i32>(p) != most) p += 4;
  return <i32>(p - v) >> 2;
}

/** The allowed token of the largest logit, the lowest of equals; −1 if none is allowed. */
export function likeliest(lm: Lm): i32 {
  if (lm.isMasked == 0) return firstLargest(lm.logits, lm.vocabulary);
  let best = -1;
  let most = 0;
  for (let t = 0; t < lm.vocabulary; t++) {
    const logit = load<i32>(lm.logits + <usize>(t << 2));
    if ((best < 0 || logit > most) && isAllowed(lm, t)) {
      best = t;
      most = logit;
    }
  }
  return best;
}

/** 2^−z in Q30. */
function probability(z: i32): u32 {
  return (<u32>exp2FractionQ15(z) << 15) >> (z >> 11);
}

const NEVER: i32 = 0xffff; // z of a token that is not allowed: a z has 15 bits

function zAt(lm: Lm, token: i32): i32 {
  return <i32>load<u16>(lm.exponents + <usize>(token << 1));
}

/** Fills z of all tokens; `most` is the largest allowed logit. */
function findExponents(lm: Lm, most: i32, scale: Scale): void {
  const m = <u64>mantissaOf(scale);
  const s = -(exponentOf(scale) + 11);
  const right = <u64>min<i32>(max<i32>(s, 0), 62);
  const left = <u64>min<i32>(max<i32>(-s, 0), 15);
  const half: u64 = right > 0 ? (<u64>1) << (right - 1) : 0;
  for (let t = 0; t < lm.vocabulary; t++) {
    let z = NEVER;
    if (isAllowed(lm, t)) {
      const below = <u64>(<u32>(most - load<i32>(lm.logits + <usize>(t << 2)))) * m; // < 2^46
      z = <i32>min<u64>(((below << left) + half) >> right, 32767);
    }
    store<u16>(lm.exponents + <usize>(t << 1), z);
  }
}

/**
 * Cuts the order after the token with which a prefix first reaches `target`, of tokens (isSum = false) or of Q30 probability. Needs: the
 * tokens that count reach it together. Returns the probability of what is kept.
 */
function cutAt(lm: Lm, target: u64, isSum: bool): u64 {
  let before: u64 = 0; // of z below `prefix`
  let kept: u64 = 0;
  let prefix = 0;
  let ties = 0;
  for (let shift = 12; shift >= 0; shift -= 4) {
    memory.fill(COUNTS, 0, DIGITS * 4);
    memory.fill(SUMS, 0, DIGITS * 8);
    for (let t = 0; t < lm.vocabulary; t++) {
      const z = zAt(lm, t);
      if (z == NEVER || z >> (shift + 4) != prefix >> (shift + 4)) continue;
      const digit = <usize>((z >> shift) & 15);
      store<u32>(COUNTS + (digit << 2), load<u32>(COUNTS + (digit << 2)) + 1);
      store<u64>(SUMS + (digit << 3), load<u64>(SUMS + (digit << 3)) + <u64>probability(z));
    }
    let digit = 0;
    for (; digit < DIGITS - 1; digit++) {
      const size = isSum ? load<u64>(SUMS + <usize>(digit << 3)) : <u64>load<u32>(COUNTS + <usize>(digit << 2));
      if (before + size >= target) break;
      before += size;
      kept += load<u64>(SUMS + <usize>(digit << 3));
    }
    prefix |= digit << shift;
    ties = load<u32>(COUNTS + <usize>(digit << 2));
  }
  const one = <u64>probability(prefix);
  const need = target > before ? target - before : 0;
  const wanted = isSum ? (one == 0 ? <u64>ties : (need + one - 1) / one) : need;
  cutZ = prefix;
  cutTies = <i32>min<u64>(wanted, <u64>ties);
  return kept + <u64>cutTies * one;
}

/** A hash of (seed, position): the same pair draws the same number, so that nothing but the state has to be saved. */
function randomAt(seed: u32, position: u32): u32 {
  let h = seed ^ (position * 0x9e3779b9);
  for (let round = 0; round < 2; round++) {
    h ^= h >> 16;
    h *= 0x85ebca6b;
    h ^= h >> 13;
    h *= 0xc2b2ae35;
    h ^= h >> 16;
    h += seed + 0x6d2b79f5;
  }
  return h ^ (h >> 15);
}

/**
 * Draws the next token from the last logits.
 *   sharpness   log2(e)/temperature as a scale
 *   topK        how many of the likeliest are kept; 0: all
 *   topP        share of their probability that is kept, Q16, 1 … 65536
 * Returns −1 if none is allowed. Source of top-p: arXiv:1904.09751.
 */
export function draw(lm: Lm, sharpness: Scale, topK: i32, topP: i32, seed: u32): i32 {
  const best = likeliest(lm);
  if (best < 0) return -1;
  findExponents(lm, load<i32>(lm.logits + <usize>(best << 2)), mulScale(lm.logitScale, sharpness));
  let allowed = 0;
  for (let t = 0; t < lm.vocabulary; t++) allowed += zAt(lm, t) != NEVER ? 1 : 0;
  let sum = cutAt(lm, topK == 0 ? <u64>allowed : <u64>min<i32>(topK, allowed), false);
  if (topP < 65536) sum = cutAt(lm, max<u64>(1, (sum * <u64>topP) >> 16), true);
  const position = load<u32>(lm.state, M.LM_STATE_POSITION << 2);
  const target = ((sum >> 14) * <u64>randomAt(seed, position)) >> 18; // sum·random/2^32, below sum
  let seen: u64 = 0;
  let ties = cutTies;
  let last = best;
  for (let t = 0; t < lm.vocabulary; t++) {
    const z = zAt(lm, t);
    if (z > cutZ || (z == cutZ && ties == 0)) continue;
    if (z == cutZ) ties--;
    seen += <u64>probability(z);
    last = t;
    if (seen > target) return t;
  }
  return last;
}
