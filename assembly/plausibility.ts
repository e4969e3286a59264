import * as L from "./layout";
import { Context } from "./context";
import { log2Q8, root } from "./heads/lda";
import { setWord, word } from "./words";

// Whether an IMU's frames can be those of a worn sensor as the model was trained with: byte order, units, stuck axes, a dead gyroscope,
// gravity's direction while moving, and the pattern of movement against that of a turned sensor. Limits are in the image, the state is the
// tail's end. Works on blocks of 64 frames. Oracle: host/core/arithmetic/plausibility.ts, bit-exact.

const AXES = 3;
const BLOCK = 1 << L.MONITOR_BLOCK_SHIFT;
const ALL_CHANGED = (1 << L.MONITOR_CHANNELS) - 1;
const ACCELEROMETER = (1 << AXES) - 1;
const TURNS = 48; // orders of axes times signs

// Orders of the axes, and whether each is odd: such an order is a turn with an odd number of negative axes.
const ORDERS = memory.data<u8>([0, 1, 2, 0, 2, 1, 1, 0, 2, 1, 2, 0, 2, 0, 1, 2, 1, 0]);
const IS_ODD = memory.data<u8>([0, 1, 1, 0, 0, 1]);

/** A block's pattern of movement, and the present turn's channels and signs. */
const PATTERN = memory.data(L.PATTERN_STATISTICS << 2, 4);
const VARIANCES = memory.data(L.MONITOR_CHANNELS << 3, 8);
const CHANNEL = memory.data(L.MONITOR_CHANNELS << 2, 4);
const SIGN = memory.data(L.MONITOR_CHANNELS << 2, 4);

/** Where the product of channels a ≤ b stands among MONITOR_PRODUCTS. */
function productIndex(a: i32, b: i32): i32 {
  return ((a * (11 - a)) >> 1) + b;
}

/** Where the correlation of channels a < b stands in a pattern. */
function correlationIndex(a: i32, b: i32): i32 {
  return L.PATTERN_CORRELATIONS + productIndex(a, b) - a - 1;
}

function add(state: usize, index: i32, value: i32): void {
  setWord(state, index, word(state, index) + value);
}

function distance(a: i32, b: i32): i32 {
  return a > b ? a - b : b - a;
}

/** An s16 with its two bytes swapped. */
function swapBytes(value: i32): i32 {
  return ((value << 24) | ((value & 0xff00) << 8)) >> 16;
}

/** n² times the covariance of channels a ≤ b, steps². */
function covariance(state: usize, a: i32, b: i32): i64 {
  const sums = <i64>word(state, L.MONITOR_SUMS + a) * <i64>word(state, L.MONITOR_SUMS + b);
  return <i64>word(state, L.MONITOR_PRODUCTS + productIndex(a, b)) * <i64>BLOCK - sums;
}

/** Takes ctx.frame; the frame before it is ctx.lastFrame, if `hasBefore`. Nothing without limits in the image. */
export function monitorFrame(ctx: Context, hasBefore: bool): void {
  const state = ctx.monitor;
  if (state == 0) return;
  let changed = word(state, L.MONITOR_CHANGED);
  let product = L.MONITOR_PRODUCTS;
  for (let a = 0; a < L.MONITOR_CHANNELS; a++) {
    const value = <i32>load<i16>(ctx.frame + <usize>(a << 1));
    const steps = value >> L.MONITOR_STEP_SHIFT;
    add(state, L.MONITOR_SUMS + a, steps);
    for (let b = a; b < L.MONITOR_CHANNELS; b++) add(state, product++, steps * (<i32>load<i16>(ctx.frame + <usize>(b << 1)) >> L.MONITOR_STEP_SHIFT));
    if (!hasBefore) continue;
    const before = <i32>load<i16>(ctx.lastFrame + <usize>(a << 1));
    if (value != before) changed |= 1 << a;
    if (a >= AXES) continue;
    add(state, L.MONITOR_JERK, distance(value, before));
    add(state, L.MONITOR_SWAPPED_JERK, distance(swapBytes(value), swapBytes(before)));
  }
  setWord(state, L.MONITOR_CHANGED, changed);
  add(state, L.MONITOR_FRAMES, 1);
  if (word(state, L.MONITOR_FRAMES) < BLOCK) return;
  judge(ctx.plausibility, ctx.image, state);
  memory.fill(state, 0, L.MONITOR_JUDGED << 2);
}

function raise(state: usize, fault: i32): void {
  setWord(state, L.MONITOR_FAULTS, word(state, L.MONITOR_FAULTS) | fault);
}

function clear(state: usize, fault: i32): void {
  setWord(state, L.MONITOR_FAULTS, word(state, L.MONITOR_FAULTS) & ~fault);
}

/** Blocks for and against a fault: MONITOR_JUDGED_ON for it raise it, and it clears when those against have outnumbered them. */
function count(state: usize, fault: i32, index: i32, isFault: bool): void {
  const at = L.MONITOR_JUDGED + index;
  const blocks = max<i32>(0, min<i32>(L.MONITOR_JUDGED_MAX, word(state, at) + (isFault ? 1 : -1)));
  setWord(state, at, blocks);
  if (blocks >= L.MONITOR_JUDGED_ON && isFault) raise(state, fault);
  if (blocks == 0) clear(state, fault);
}

/** Raised beyond the limit, cleared below half of it. */
function compare(state: usize, fault: i32, value: i32, limit: i32): void {
  if (value > limit) raise(state, fault);
  else if (value < limit >> 1) clear(state, fault);
}

/** Judges the block that is whole. */
function judge(limits: usize, image: usize, state: usize): void {
  let squares: u64 = 0;
  let products: u64 = 0;
  let power: i64 = 0;
  for (let a = 0; a < AXES; a++) {
    const sum = <i64>word(state, L.MONITOR_SUMS + a);
    squares += <u64>(sum * sum);
    products += <u64>(<i64>word(state, L.MONITOR_PRODUCTS + productIndex(a, a)) * <i64>BLOCK);
    power += covariance(state, a, a);
  }
  const gravity = <i32>root(squares);
  const strength = <i32>root(products);
  const changed = word(state, L.MONITOR_CHANGED);
  const isSwapped = word(state, L.MONITOR_SWAPPED_JERK) << L.MONITOR_JERK_SHIFT < word(state, L.MONITOR_JERK);
  setWord(state, L.MONITOR_GRAVITY, gravity >> L.MONITOR_STEP_SHIFT);
  const isFar = gravity > word(limits, L.PLAUSIBILITY_GRAVITY_HIGH) << L.MONITOR_STEP_SHIFT ||
    strength < word(limits, L.PLAUSIBILITY_GRAVITY_LOW) << L.MONITOR_STEP_SHIFT;
  const isMoving = power > <i64>word(limits, L.PLAUSIBILITY_MOVING) << L.MONITOR_BLOCK_SHIFT;
  const isDead = changed & ~ACCELEROMETER ? false : changed != 0;
  const isStuck = (changed & ACCELEROMETER) != ACCELEROMETER || (changed != ALL_CHANGED && !isDead && isMoving); // a gyroscope at rest may well stand still
  count(state, L.FAULT_BYTE_ORDER, 0, isSwapped);
  count(state, L.FAULT_UNITS, 1, isFar && !isSwapped);
  count(state, L.FAULT_STUCK, 2, isStuck);
  count(state, L.FAULT_DEAD_GYRO, 3, isDead);
  if (isStuck) setWord(state, L.MONITOR_STUCK, <i32>ctz<u32>(~changed));
  if (!isSwapped && !isFar && changed == ALL_CHANGED && isMoving) judgeMovement(limits, image, state, gravity);
  else if (!isMoving && (word(state, L.MONITOR_FAULTS) & L.FAULT_AXES) == 0) setWord(state, L.MONITOR_TILT, 0); // a walk is movement without a pause
}

/** PATTERN of the block. Returns log2 of the gyroscope's variance over the accelerometer's, Q8. */
function measureMovement(state: usize, gravity: i32): i32 {
  const floor: i64 = 1 << (2 * L.MONITOR_BLOCK_SHIFT); // one squared step
  for (let c = 0; c < L.MONITOR_CHANNELS; c++) store<i64>(VARIANCES + <usize>(c << 3), covariance(state, c, c) + floor);
  for (let i = 0; i < AXES; i++) setWord(PATTERN, i, (word(state, L.MONITOR_SUMS + i) << L.FIXED_PATTERN_BITS) / max<i32>(1, gravity));
  let before = 0;
  let ratio = 0;
  for (let c = 0; c < L.MONITOR_CHANNELS; c += AXES) {
    const v = VARIANCES + <usize>(c << 3);
    const total = log2Q8(<u64>(load<i64>(v) + load<i64>(v, 8) + load<i64>(v, 16)));
    ratio = total - before;
    before = total;
    for (let i = 0; i < AXES; i++) setWord(PATTERN, AXES + c + i, log2Q8(load<u64>(v + <usize>(i << 3))) - total);
  }
  for (let c = 0; c < L.MONITOR_CHANNELS; c++) store<u64>(VARIANCES + <usize>(c << 3), max<u64>(1, root(load<u64>(VARIANCES + <usize>(c << 3)))));
  for (let a = 0; a < L.MONITOR_CHANNELS; a++) {
    for (let b = a + 1; b < L.MONITOR_CHANNELS; b++) {
      const roots = load<i64>(VARIANCES + <usize>(a << 3)) * load<i64>(VARIANCES + <usize>(b << 3));
      setWord(PATTERN, correlationIndex(a, b), <i32>((covariance(state, a, b) << L.FIXED_PATTERN_BITS) / max<i64>(1, roots)));
    }
  }
  return ratio;
}

function judgeMovement(limits: usize, image: usize, state: usize, gravity: i32): void {
  const ratio = measureMovement(state, gravity);
  let up = 0;
  for (let i = 0; i < AXES; i++) up += word(PATTERN, i) * word(limits, L.PLAUSIBILITY_UP + i);
  up >>= L.FIXED_PATTERN_BITS;
  const strayed = word(state, L.MONITOR_RATIO);
  add(state, L.MONITOR_RATIO, (((ratio - word(limits, L.PLAUSIBILITY_RATIO)) << 4) - strayed) >> L.MONITOR_RECENT_SHIFT);
  add(state, L.MONITOR_TILT, ((((1 << L.FIXED_PATTERN_BITS) - up) << 4) - word(state, L.MONITOR_TILT)) >> L.MONITOR_RECENT_SHIFT);
  compare(state, L.FAULT_GYRO_UNITS, distance(word(state, L.MONITOR_RATIO), 0), word(limits, L.PLAUSIBILITY_RATIO_LIMIT) << 4);
  compare(state, L.FAULT_AXES, word(state, L.MONITOR_TILT), word(limits, L.PLAUSIBILITY_TILT_LIMIT) << 4);

  const blocks = min<i32>(word(state, L.MONITOR_MOVING) + 1, L.MONITOR_PATTERN_BLOCKS);
  setWord(state, L.MONITOR_MOVING, blocks);
  for (let k = 0; k < L.PATTERN_STATISTICS; k++) {
    const at = L.MONITOR_PATTERN + k;
    add(state, at, ((word(PATTERN, k) << 6) - word(state, at)) / blocks);
  }
  setWord(state, L.MONITOR_PHASE, (word(state, L.MONITOR_PHASE) + 1) & (L.MONITOR_PHASE_BLOCKS - 1));
  if (word(state, L.MONITOR_PHASE) != 0 || blocks < L.MONITOR_PATTERN_LEAST) return;
  compareTurns(limits, image, state);
}

/** Σ of squared deviations of the long-term pattern, turned, from the one as trained, Q12, each at most 16. */
function turnedDistance(limits: usize, image: usize, pattern: usize, turn: i32): i32 {
  for (let i = 0; i < AXES; i++) {
    const axis = <i32>load<u8>(ORDERS + <usize>((turn >> 3) * AXES + i));
    const sign = (turn >> i) & 1 ? -1 : 1;
    setWord(CHANNEL, i, axis);
    setWord(CHANNEL, AXES + i, AXES + axis);
    setWord(SIGN, i, sign);
    setWord(SIGN, AXES + i, sign);
  }
  let sum = 0;
  for (let a = 0; a < L.MONITOR_CHANNELS; a++) {
    const channel = word(CHANNEL, a);
    const sign = word(SIGN, a);
    if (a < AXES) sum += deviation(limits, image, a, sign * word(pattern, channel));
    sum += deviation(limits, image, AXES + a, word(pattern, AXES + channel));
    for (let b = a + 1; b < L.MONITOR_CHANNELS; b++) {
      const other = word(CHANNEL, b);
      const correlation = word(pattern, correlationIndex(min<i32>(channel, other), max<i32>(channel, other)));
      sum += deviation(limits, image, correlationIndex(a, b), sign * word(SIGN, b) * correlation);
    }
  }
  return sum;
}

function deviation(limits: usize, image: usize, k: i32, value: i32): i32 {
  const at = image + <usize>(k << 1);
  const mean = <i32>load<i16>(at + <usize>word(limits, L.PLAUSIBILITY_MEANS));
  const weight = <i32>load<i16>(at + <usize>word(limits, L.PLAUSIBILITY_WEIGHTS));
  const d = max<i32>(-256, min<i32>(256, (((value >> 6) - mean) * weight) >> 8));
  return d * d;
}

/** Does a turned sensor explain the long-term pattern of movement better than the one as trained? */
function compareTurns(limits: usize, image: usize, state: usize): void {
  const pattern = state + (L.MONITOR_PATTERN << 2);
  const asTrained = turnedDistance(limits, image, pattern, 0);
  let least = i32.MAX_VALUE;
  let best = 0;
  for (let turn = 1; turn < TURNS; turn++) {
    if (<i32>load<u8>(IS_ODD + <usize>(turn >> 3)) != (<i32>popcnt<u32>(turn & 7) & 1)) continue; // a mirror
    const d = turnedDistance(limits, image, pattern, turn);
    if (d >= least) continue;
    least = d;
    best = turn;
  }
  compare(state, L.FAULT_TURNED, asTrained - least, word(limits, L.PLAUSIBILITY_TURN_LIMIT));
  setWord(state, L.MONITOR_TURN, best);
}

/** FAULT_ bits that stand; none without limits in the image. */
export function faults(ctx: Context): i32 {
  return ctx.monitor == 0 ? 0 : word(ctx.monitor, L.MONITOR_FAULTS);
}

/** What the first fault that stands measured: DECISION_FAULT_VALUE. */
export function faultValue(ctx: Context): i32 {
  const state = ctx.monitor;
  const all = faults(ctx);
  const first = all & -all;
  if (first == L.FAULT_UNITS) return word(state, L.MONITOR_GRAVITY);
  if (first == L.FAULT_STUCK) return word(state, L.MONITOR_STUCK);
  if (first == L.FAULT_GYRO_UNITS) return word(state, L.MONITOR_RATIO) >> 4;
  if (first == L.FAULT_AXES) return word(state, L.MONITOR_TILT) >> 4;
  return first == L.FAULT_TURNED ? word(state, L.MONITOR_TURN) : 0;
}

/** Numbers of a candidate state that a step could not trust. */
export function isSoundMonitor(state: usize): bool {
  if (<u32>word(state, L.MONITOR_FRAMES) >= <u32>BLOCK || <u32>word(state, L.MONITOR_FAULTS) > <u32>L.FAULTS_ALL) return false;
  if (<u32>word(state, L.MONITOR_MOVING) > <u32>L.MONITOR_PATTERN_BLOCKS || <u32>word(state, L.MONITOR_PHASE) >= <u32>L.MONITOR_PHASE_BLOCKS) return false;
  for (let i = 0; i < 4; i++) if (<u32>word(state, L.MONITOR_JUDGED + i) > <u32>L.MONITOR_JUDGED_MAX) return false;
  return <u32>word(state, L.MONITOR_STUCK) < 32 && <u32>word(state, L.MONITOR_TURN) < <u32>TURNS;
}
