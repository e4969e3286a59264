import * as L from "../layout";
import { Context, LdaModel } from "../context";
import { signalCount } from "../counts";
import { sum1 } from "../kernels/lanes";
import { isqrt } from "../kernels/rms-norm";
import { clampS16 } from "../kernels/requantize";
import { word } from "../words";

// LDA head: a linear discriminant of the last window's statistics, added to the logits of every exit. Spread, sway and
// correlations are what people measure of a window to tell activities (Anguita et al. 2013, ESANN); a net of few wearers does not find them all.
// No state of its own: it reads the context. Oracle: host/core/arithmetic/lda.ts, bit-exact.

const TRIAD = 3;

/** Which statistic comes next, and the window's length: of one call of computeLda. */
let next: usize = 0;
let frames: i32 = 0;

/** Q8 logarithm to base 2 of v ≥ 1, straight between powers of 2 (Mitchell 1962, IRE Trans. EC-11). */
function log2Q8(v: u64): i32 {
  const power = 63 - <i32>clz<u64>(v);
  const mantissa = power >= L.FIXED_LOG_BITS ? <i32>(v >> (power - L.FIXED_LOG_BITS)) : <i32>(v << (L.FIXED_LOG_BITS - power));
  return ((power - 1) << L.FIXED_LOG_BITS) + mantissa;
}

/** A few numbers of one signal on their way to `count`. */
const SLOTS = memory.data(L.FIXED_SPREAD_STATISTICS << 4, 8);

/** Slot `slot` is a / b, b > 0. */
function put(slot: usize, a: i64, b: i64): void {
  store<i64>(SLOTS + (slot << 4), a);
  store<i64>(SLOTS + (slot << 4), b, 8);
}

/** Counts the numbers in the first `n` slots as the next statistics, of the first `logs` the logarithm of 1 more. */
function count(ctx: LdaModel, n: i32, logs: i32): void {
  const lda = ctx.lda;
  const nClasses = <usize>ctx.nClasses;
  for (let i = 0; i < n; i++) {
    const slot = SLOTS + <usize>(i << 4);
    const number = divide(load<i64>(slot), load<i64>(slot, 8));
    const value = i < logs ? log2Q8(1 + <u64>number) : <i32>number;
    const limit = load<i32>(ctx.image + <usize>word(lda, L.LDA_LIMITS) + (next << 2));
    const distance = value - load<i32>(ctx.image + <usize>word(lda, L.LDA_MEANS) + (next << 2));
    const counted = <i64>max<i32>(-limit, min<i32>(limit, distance));
    const weights = ctx.image + <usize>word(lda, L.LDA_WEIGHTS) + next * (nClasses << 1);
    for (let c: usize = 0; c < nClasses; c++) {
      store<i64>(ctx.ldaSums + (c << 3), load<i64>(ctx.ldaSums + (c << 3)) + counted * <i64>load<i16>(weights + (c << 1)));
    }
    next++;
  }
}

/** ctx.linear (channels, frames) s16 = the window in linear steps, oldest first: from `slot` on in a ring of `size` patches. */
function readWindow(ctx: LdaModel, ring: usize, size: i32, slot: i32): void {
  const channels = ctx.channels;
  const patchFrames = ctx.patchFrames;
  for (let t = 0; t < frames; t += patchFrames) {
    let from = ring + <usize>(slot * patchFrames * channels);
    for (let f = t; f < t + patchFrames; f++) {
      for (let c = 0; c < channels; c++) {
        const knee = load<i32>(ctx.features + <usize>(c * (L.FEATURE_WORDS << 2)), L.FEATURE_KNEE << 2);
        const value = <i32>load<i8>(from++);
        const beyond = (value < 0 ? -value : value) - knee;
        const linear = knee == 0 || beyond <= 0 ? value : value < 0 ? -knee - (beyond << L.FIXED_KNEE_SHIFT) : knee + (beyond << L.FIXED_KNEE_SHIFT);
        store<i16>(ctx.linear + <usize>((c * frames + f) << 1), linear);
      }
    }
    if (++slot == size) slot = 0;
  }
}

/**
 * ctx.acc (frames,) s32 = one signal over the window: channel c, or with TRIAD axes the length of the vector from c on; or, from index 0, of
 * its changes from frame to frame (one fewer).
 */
function readSignal(ctx: LdaModel, c: i32, axes: i32, isChange: bool): void {
  if (axes > 1) memory.fill(ctx.acc, 0, <usize>(frames << 2));
  const n = isChange ? frames - 1 : frames;
  for (let axis = c; axis < c + axes; axis++) {
    const from = ctx.linear + <usize>((axis * frames) << 1);
    let t = 0;
    if (ASC_FEATURE_SIMD) {
      for (; t + 8 <= n; t += 8) {
        const at = from + <usize>(t << 1);
        const now = v128.load(at);
        let low = i32x4.extend_low_i16x8_s(now);
        let high = i32x4.extend_high_i16x8_s(now);
        if (isChange) {
          const later = v128.load(at, 2);
          low = i32x4.sub(i32x4.extend_low_i16x8_s(later), low);
          high = i32x4.sub(i32x4.extend_high_i16x8_s(later), high);
        }
        const to = ctx.acc + <usize>(t << 2);
        if (axes > 1) {
          low = i32x4.add(v128.load(to), i32x4.mul(low, low));
          high = i32x4.add(v128.load(to, 16), i32x4.mul(high, high));
        }
        v128.store(to, low);
        v128.store(to, high, 16);
      }
    }
    for (; t < n; t++) {
      const at = from + <usize>(t << 1);
      const steps = isChange ? <i32>load<i16>(at, 2) - <i32>load<i16>(at) : <i32>load<i16>(at);
      const to = ctx.acc + <usize>(t << 2);
      store<i32>(to, axes == 1 ? steps : load<i32>(to) + steps * steps);
    }
  }
  if (axes == 1) return;
  for (let t = 0; t < n; t++) store<i32>(ctx.acc + <usize>(t << 2), <i32>isqrt(load<u32>(ctx.acc + <usize>(t << 2))));
}

/** a / b towards 0, b > 0: in 32 bits where they do, which takes a microcontroller a tenth of the time. */
function divide(a: i64, b: i64): i64 {
  const size = <u64>(a < 0 ? -a : a);
  const quotient = (size | <u64>b) >> 32 == 0 ? <i64>(<u32>size / <u32>b) : <i64>(size / <u64>b);
  return a < 0 ? -quotient : quotient;
}

/** True where n products of two such values add up within s32. */
function isNarrow(most: i32, other: i32, n: i32): bool {
  return <i64>most * <i64>other * <i64>n < 1 << 31;
}

/** Σ of n values s32, together below 2^28. */
function total(values: usize, n: i32): i32 {
  let sum = 0;
  let t = 0;
  if (ASC_FEATURE_SIMD) {
    let sums = i32x4.splat(0);
    for (; t + 4 <= n; t += 4) sums = i32x4.add(sums, v128.load(values + <usize>(t << 2)));
    sum = sum1(sums);
  }
  for (; t < n; t++) sum += load<i32>(values + <usize>(t << 2));
  return sum;
}

/** Mean of n values, Q3, towards 0. */
function meanOf(values: usize, n: i32): i32 {
  return (total(values, n) << L.FIXED_STATISTIC_BITS) / n;
}

/** FIXED_SPREAD_STATISTICS of the n values in ctx.acc about their mean Q3. Overwrites them. Returns how far the furthest lies. */
function countSpread(ctx: LdaModel, n: i32, mean: i32): i32 {
  const x = ctx.acc;
  let highest = 0;
  let lowest = 0;
  let distance: i64 = 0;
  let power: i64 = 0;
  let t = 0;
  if (ASC_FEATURE_SIMD) {
    const means = i32x4.splat(mean);
    let most = i32x4.splat(0);
    let least = most;
    let distances = most;
    let powers = most;
    for (; t + 4 <= n; t += 4) {
      const at = x + <usize>(t << 2);
      const c = i32x4.sub(i32x4.shl(v128.load(at), L.FIXED_STATISTIC_BITS), means);
      v128.store(at, c);
      most = i32x4.max_s(most, c);
      least = i32x4.min_s(least, c);
      const size = i32x4.abs(c);
      distances = i64x2.add(distances, i64x2.add(i64x2.extend_low_i32x4_u(size), i64x2.extend_high_i32x4_u(size)));
      powers = i64x2.add(powers, i64x2.add(i64x2.extmul_low_i32x4_s(c, c), i64x2.extmul_high_i32x4_s(c, c)));
    }
    most = i32x4.max_s(most, v128.shuffle<i64>(most, most, 1, 0));
    least = i32x4.min_s(least, v128.shuffle<i64>(least, least, 1, 0));
    highest = max<i32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1));
    lowest = min<i32>(i32x4.extract_lane(least, 0), i32x4.extract_lane(least, 1));
    distance = i64x2.extract_lane(distances, 0) + i64x2.extract_lane(distances, 1);
    power = i64x2.extract_lane(powers, 0) + i64x2.extract_lane(powers, 1);
  }
  for (; t < n; t++) {
    const at = x + <usize>(t << 2);
    const centred = (load<i32>(at) << L.FIXED_STATISTIC_BITS) - mean;
    store<i32>(at, centred);
    highest = max<i32>(highest, centred);
    lowest = min<i32>(lowest, centred);
    distance += <i64>(centred < 0 ? -centred : centred);
    power += <i64>centred * <i64>centred;
  }
  put(0, power, n);
  put(1, highest, 1);
  put(2, -lowest, 1);
  put(3, distance << 2, n);
  const whole = power + (<i64>n << 2); // a sixteenth of a squared step more: rounding noise has no rhythm
  const most = max<i32>(highest, -lowest);
  const narrow = isNarrow(most, most, n);
  for (let lag = 1; lag <= L.FIXED_LAGS; lag++) {
    const end = x + <usize>((n - lag) << 2);
    const later = <usize>(lag << 2);
    let product: i64 = 0;
    let at = x;
    if (narrow) {
      let sum = 0;
      if (ASC_FEATURE_SIMD) {
        let sums = i32x4.splat(0);
        for (; at + 16 <= end; at += 16) sums = i32x4.add(sums, i32x4.mul(v128.load(at), v128.load(at + later)));
        sum = sum1(sums);
      }
      for (; at < end; at += 4) sum += load<i32>(at) * load<i32>(at + later);
      product = sum;
    } else {
      if (ASC_FEATURE_SIMD) {
        let sums = i64x2.splat(0);
        for (; at + 16 <= end; at += 16) {
          const a = v128.load(at);
          const b = v128.load(at + later);
          sums = i64x2.add(sums, i64x2.add(i64x2.extmul_low_i32x4_s(a, b), i64x2.extmul_high_i32x4_s(a, b)));
        }
        product = i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
      }
      for (; at < end; at += 4) product += <i64>load<i32>(at) * <i64>load<i32>(at + later);
    }
    put(3 + lag, product << 9, whole);
  }
  count(ctx, L.FIXED_SPREAD_STATISTICS, 4);
  return most;
}

/** Three statistics of how far sums of FIXED_SWAY_FRAMES of the values in ctx.acc move: median and mean change, power about their mean. Overwrites them. */
function countSway(ctx: LdaModel): void {
  const x = ctx.acc;
  const n = frames / L.FIXED_SWAY_FRAMES;
  for (let i = 0; i < n; i++) {
    store<i32>(x + <usize>(i << 2), total(x + <usize>((i * L.FIXED_SWAY_FRAMES) << 2), L.FIXED_SWAY_FRAMES));
  }
  const mean = meanOf(x, n);
  let power: i64 = 0;
  let before = 0;
  let moved: i64 = 0;
  for (let i = 0; i < n; i++) {
    const sum = load<i32>(x + <usize>(i << 2));
    const centred = (sum << L.FIXED_STATISTIC_BITS) - mean;
    power += <i64>centred * <i64>centred;
    if (i > 0) {
      // The changes so far in ascending order, in place of the sums that are read.
      const change = sum < before ? before - sum : sum - before;
      moved += <i64>change;
      let to = i - 1;
      for (; to > 0 && load<i32>(x + <usize>((to - 1) << 2)) > change; to--) store<i32>(x + <usize>(to << 2), load<i32>(x + <usize>((to - 1) << 2)));
      store<i32>(x + <usize>(to << 2), change);
    }
    before = sum;
  }
  put(0, <i64>load<i32>(x + <usize>(((n - 2) >> 1) << 2)) << 2, 1);
  put(1, moved << 2, n - 1);
  put(2, power, n);
  count(ctx, 3, 3);
}

/** ⌊√v⌋. */
function root(v: u64): u64 {
  let rest = v;
  let out: u64 = 0;
  for (let bit: u64 = 1 << 62; bit != 0; bit >>= 2) {
    const trial = out + bit;
    out >>= 1;
    if (rest < trial) continue;
    rest -= trial;
    out += bit;
  }
  return out;
}

/** Keeps of channel c what countSpread has found: the root of its power, its largest value and its mean. */
function keepSize(ctx: LdaModel, c: i32, most: i32, mean: i32): void {
  const size = ctx.sizes + <usize>(c << 3);
  store<u32>(size, <u32>root(<u64>load<i64>(SLOTS) + (<u64>frames << 2)));
  store<i16>(size, most, 4);
  store<i16>(size, mean, 6);
}

/** Centres each channel of ctx.linear, Q3. */
function centre(ctx: LdaModel): void {
  let at = ctx.linear;
  for (let c = 0; c < ctx.channels; c++) {
    const mean = <i32>load<i16>(ctx.sizes + <usize>(c << 3), 6);
    for (let t = 0; t < frames; t++, at += 2) store<i16>(at, (<i32>load<i16>(at) << L.FIXED_STATISTIC_BITS) - mean);
  }
}

/** How each two channels move together, the second of them earlier by each lag in turn: correlations, Q9. */
function countCross(ctx: LdaModel): void {
  centre(ctx);
  const channels = ctx.channels;
  for (let lag = 0; lag < L.FIXED_CROSS_LAGS * L.FIXED_CROSS_LAG; lag += L.FIXED_CROSS_LAG) {
    for (let a = 0; a < channels; a++) {
      const start = ctx.linear + <usize>((a * frames + lag) << 1);
      const end = ctx.linear + <usize>(((a + 1) * frames) << 1);
      const ofA = ctx.sizes + <usize>(a << 3);
      const others = lag == 0 ? a : channels;
      for (let b = 0; b < others; b++) {
        const ofB = ctx.sizes + <usize>(b << 3);
        const back = start - (ctx.linear + <usize>((b * frames) << 1)); // to the other's value, `lag` frames before
        let product: i64 = 0;
        let at = start;
        if (isNarrow(<i32>load<i16>(ofA, 4), <i32>load<i16>(ofB, 4), frames)) {
          let sum = 0;
          if (ASC_FEATURE_SIMD) {
            let sums = i32x4.splat(0);
            for (; at + 16 <= end; at += 16) sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load(at), v128.load(at - back)));
            sum = sum1(sums);
          }
          for (; at < end; at += 2) sum += <i32>load<i16>(at) * <i32>load<i16>(at - back);
          product = sum;
        } else {
          for (; at < end; at += 2) product += <i64>(<i32>load<i16>(at) * <i32>load<i16>(at - back));
        }
        put(0, product << 9, <i64>load<u32>(ofA) * <i64>load<u32>(ofB));
        count(ctx, 1, 0);
      }
    }
  }
}

/** True if the image has an LDA head and a whole window has come since the reset. */
export function hasLdaLogits(ctx: Context): bool {
  return ctx.ldaSums != 0 && word(ctx.tail, L.TAIL_CONTEXT_COUNT) >= ctx.windowPatches;
}

/** computeWindowLda of the last window of a session; 0 before a whole one. */
export function computeLda(ctx: Context): void {
  if (ctx.ldaSums == 0) return;
  if (!hasLdaLogits(ctx)) {
    memory.fill(ctx.ldaSums, 0, <usize>ctx.nClasses << 3);
    return;
  }
  const slot = word(ctx.tail, L.TAIL_CONTEXT_HEAD) - ctx.windowPatches;
  computeWindowLda(ctx, ctx.context, ctx.contextPatches, slot < 0 ? slot + ctx.contextPatches : slot);
}

/**
 * ctx.ldaSums (nClasses,) s64 = what a window's statistics say of each class, Q10 as s16. All are 0 if a triad of channels has not changed
 * in the window: its sensor is dead, or the device is not worn. The window begins at `slot` of a ring of `size` patches. Uses ctx.acc.
 */
export function computeWindowLda(ctx: LdaModel, ring: usize, size: i32, slot: i32): void {
  const nClasses = <usize>ctx.nClasses;
  const bias = ctx.image + <usize>word(ctx.lda, L.LDA_BIAS);
  for (let c: usize = 0; c < nClasses; c++) store<i64>(ctx.ldaSums + (c << 3), <i64>load<i32>(bias + (c << 2)));
  next = 0;
  frames = ctx.windowPatches * ctx.patchFrames;
  readWindow(ctx, ring, size, slot);
  const channels = ctx.channels;
  const signals = signalCount(channels);
  // Every signal; every channel's sway; every signal's changes. In one loop: its body is code once. Then what channels do together.
  for (let i = 0; i < 2 * signals + channels; i++) {
    const isSway = i >= signals && i < signals + channels;
    const isChange = i >= signals + channels;
    const signal = isChange ? i - signals - channels : isSway ? i - signals : i;
    const isMagnitude = signal >= channels;
    readSignal(ctx, isMagnitude ? (signal - channels) * TRIAD : signal, isMagnitude ? TRIAD : 1, isChange);
    if (isSway) {
      countSway(ctx);
      continue;
    }
    const n = isChange ? frames - 1 : frames;
    if (isChange && isMagnitude && total(ctx.acc, n) == 0) {
      memory.fill(ctx.ldaSums, 0, nClasses << 3);
      return;
    }
    const mean = meanOf(ctx.acc, n);
    if (!isChange) {
      put(0, mean, 1);
      count(ctx, 1, 0);
    }
    const most = countSpread(ctx, n, mean);
    if (i < channels) keepSize(ctx, i, most, mean);
  }
  countCross(ctx);
  const shift = <i64>word(ctx.lda, L.LDA_SHIFT);
  const half = (<i64>1 << shift) >> 1;
  for (let c: usize = 0; c < nClasses; c++) {
    const at = ctx.ldaSums + (c << 3);
    const sum = (load<i64>(at) + half) >> shift;
    store<i64>(at, max<i64>(-32768, min<i64>(32767, sum)));
  }
}

/** logits (nClasses,) s16 += the LDA head's, clamped. */
export function addLda(ctx: LdaModel, logits: usize): void {
  if (ctx.ldaSums == 0) return;
  const n = <usize>ctx.nClasses;
  for (let c: usize = 0; c < n; c++) {
    store<i16>(logits + (c << 1), clampS16(<i32>load<i16>(logits + (c << 1)) + <i32>load<i64>(ctx.ldaSums + (c << 3))));
  }
}
