import * as L from "../../../assembly/layout.ts";
import type { Plausibility } from "../image/image-types.ts";
import { log2Q8 } from "./lda.ts";

const { MONITOR_CHANNELS: CHANNELS, MONITOR_BLOCK_SHIFT, PATTERN_CORRELATIONS, PATTERN_STATISTICS } = L;
const FRAMES = 2 ** MONITOR_BLOCK_SHIFT;
const FLOOR = FRAMES ** 2; // one squared step, times the frames of a block squared
const ONE_Q10 = 2 ** L.FIXED_PATTERN_BITS;
const AXES = 3;

/** Where the product of channels a ≤ b stands among MONITOR_PRODUCTS. */
function productIndex(a: number, b: number): number {
  return (a * (11 - a)) / 2 + b;
}

/** Where the correlation of channels a < b stands in a pattern. */
function correlationIndex(a: number, b: number): number {
  return PATTERN_CORRELATIONS + productIndex(a, b) - a - 1;
}

/** What a block of frames measured. Lengths and variances in steps of 8 counts, times the frames of the block, or their square. */
export interface BlockMeasures {
  readonly isSwapped: boolean; // with its bytes swapped the signal is far smoother
  readonly gravity: number; // length of the mean acceleration, counts · 8
  readonly strength: number; // root mean square of the acceleration, counts · 8
  readonly changed: number; // bit c: channel c has changed
  readonly power: number; // variance of the acceleration, counts² · 64
}

/** What a block of movement measured more: log2 of gyroscope over accelerometer, Q8, and the pattern (PATTERN_STATISTICS,). */
export interface MovementMeasures {
  readonly ratio: number;
  readonly pattern: Int32Array;
}

/** The order of axes and their signs as a turned sensor has them: axis i as trained is sign[i] · axis[i] of the sensor. */
export interface Turn {
  readonly axis: readonly number[];
  readonly isNegative: readonly boolean[];
}

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** The turn of a number: eight times its order of axes plus bit i where axis i is negative. Half of the 48 are mirrors, not turns. */
export function turnOfNumber(number: number): Turn {
  const axis = ORDERS[number >> 3]!;
  return { axis, isNegative: axis.map((_, i) => ((number >> i) & 1) === 1) };
}

/** Numbers of the 24 turns of a right-handed sensor, 0 = as it is. */
export const turnNumbers: readonly number[] = Array.from({ length: 48 }, (_, number) => number).filter((number) => {
  const isOdd = [1, 2, 5].includes(number >> 3);
  const negatives = [0, 1, 2].filter((i) => (number >> i) & 1).length;
  return isOdd === (negatives % 2 === 1);
});

/** A pattern as it would be had the sensor's axes been those of a turn. */
export function turnPattern(pattern: ArrayLike<number>, { axis, isNegative }: Turn): Int32Array {
  const out = new Int32Array(PATTERN_STATISTICS);
  const channel = (c: number): number => axis[c % AXES]! + (c < AXES ? 0 : AXES);
  const sign = (c: number): number => (isNegative[c % AXES] ? -1 : 1);
  for (let i = 0; i < AXES; i++) {
    out[i] = sign(i) * pattern[axis[i]!]!;
    out[AXES + i] = pattern[AXES + axis[i]!]!;
    out[2 * AXES + i] = pattern[2 * AXES + axis[i]!]!;
  }
  for (let a = 0; a < CHANNELS; a++)
    for (let b = a + 1; b < CHANNELS; b++) {
      const [first, second] = [Math.min(channel(a), channel(b)), Math.max(channel(a), channel(b))];
      out[correlationIndex(a, b)] = sign(a) * sign(b) * pattern[correlationIndex(first, second)]!;
    }
  return out;
}

/** Σ of squared deviations from the pattern as trained, Q12, each at most 16. `pattern` in Q6 of its statistics. */
function patternDistance({ means, weights }: Plausibility, pattern: Int32Array): number {
  let sum = 0;
  for (let k = 0; k < PATTERN_STATISTICS; k++) {
    const deviation = Math.max(-256, Math.min(256, (((pattern[k]! >> 6) - means[k]!) * weights[k]!) >> 8));
    sum += deviation * deviation;
  }
  return sum;
}

/**
 * Whether an IMU's frames can be those of a worn sensor as the model was trained with: byte order, units, stuck axes, a dead gyroscope,
 * gravity's direction while moving, and the pattern of movement against that of a turned sensor. Works on blocks of 64 frames, in the
 * core's integers, over MONITOR_WORDS of state. Core: assembly/plausibility.ts, bit-exact.
 */
export class PlausibilityMonitor {
  readonly #limits: Plausibility;
  readonly #state: Int32Array;

  constructor(limits: Plausibility, state: Int32Array = new Int32Array(L.MONITOR_WORDS)) {
    this.#limits = limits;
    this.#state = state;
  }

  /** FAULT_ bits that stand. */
  get faults(): number {
    return this.#state[L.MONITOR_FAULTS]!;
  }

  /** What the first of them measured: see DECISION_FAULT_VALUE. */
  get value(): number {
    const state = this.#state;
    const faults = this.faults & -this.faults; // the first alone
    if (faults === L.FAULT_UNITS) return state[L.MONITOR_GRAVITY]!;
    if (faults === L.FAULT_STUCK) return state[L.MONITOR_STUCK]!;
    if (faults === L.FAULT_GYRO_UNITS) return state[L.MONITOR_RATIO]! >> 4;
    if (faults === L.FAULT_AXES) return state[L.MONITOR_TILT]! >> 4;
    return faults === L.FAULT_TURNED ? state[L.MONITOR_TURN]! : 0;
  }

  /** One frame (6,) s16, and the one before it; none after a start or a gap. True if a block ended. */
  push(frame: ArrayLike<number>, before: ArrayLike<number> | undefined): boolean {
    addFrame(this.#state, frame, before);
    if (this.#state[L.MONITOR_FRAMES]! < FRAMES) return false;
    this.#judge();
    this.#state.fill(0, 0, L.MONITOR_JUDGED);
    return true;
  }

  #judge(): void {
    const limits = this.#limits;
    const state = this.#state;
    const { isSwapped, gravity, strength, changed, power } = measureBlock(state);
    state[L.MONITOR_GRAVITY] = gravity >> 3;
    const isFar = gravity > limits.gravityHigh * 8 || strength < limits.gravityLow * 8;
    const isMoving = power > limits.moving * 64;
    const isDead = (changed & 56) === 0 && (changed & 7) !== 0;
    this.#count(L.FAULT_BYTE_ORDER, 0, isSwapped);
    this.#count(L.FAULT_UNITS, 1, isFar && !isSwapped);
    const isStuck = (changed & 7) !== 7 || (changed !== 63 && !isDead && isMoving); // a gyroscope at rest may well stand still
    this.#count(L.FAULT_STUCK, 2, isStuck);
    this.#count(L.FAULT_DEAD_GYRO, 3, isDead);
    if (isStuck) state[L.MONITOR_STUCK] = firstUnchanged(changed);
    if (!isSwapped && !isFar && changed === 63 && isMoving) this.#judgeMovement(gravity);
    else if (!isMoving && (this.faults & L.FAULT_AXES) === 0) state[L.MONITOR_TILT] = 0; // a walk is movement without a pause
  }

  /** Blocks for and against a fault: MONITOR_JUDGED_ON for it raise it, and it clears when those against have outnumbered them. */
  #count(fault: number, index: number, isFault: boolean): void {
    const state = this.#state;
    const at = L.MONITOR_JUDGED + index;
    state[at] = Math.max(0, Math.min(L.MONITOR_JUDGED_MAX, state[at]! + (isFault ? 1 : -1)));
    if (state[at]! >= L.MONITOR_JUDGED_ON && isFault) state[L.MONITOR_FAULTS]! |= fault;
    if (state[at] === 0) state[L.MONITOR_FAULTS]! &= ~fault;
  }

  #judgeMovement(gravity: number): void {
    const limits = this.#limits;
    const state = this.#state;
    const { ratio, pattern } = measureMovement(state, gravity);
    const up = (pattern[0]! * limits.upX + pattern[1]! * limits.upY + pattern[2]! * limits.upZ) >> L.FIXED_PATTERN_BITS;
    state[L.MONITOR_RATIO]! += (((ratio - limits.ratio) << 4) - state[L.MONITOR_RATIO]!) >> L.MONITOR_RECENT_SHIFT;
    state[L.MONITOR_TILT]! += (((ONE_Q10 - up) << 4) - state[L.MONITOR_TILT]!) >> L.MONITOR_RECENT_SHIFT;
    this.#compare(L.FAULT_GYRO_UNITS, Math.abs(state[L.MONITOR_RATIO]!), limits.ratioLimit << 4);
    this.#compare(L.FAULT_AXES, state[L.MONITOR_TILT]!, limits.tiltLimit << 4);

    const blocks = Math.min(state[L.MONITOR_MOVING]! + 1, L.MONITOR_PATTERN_BLOCKS);
    state[L.MONITOR_MOVING] = blocks;
    for (let k = 0; k < PATTERN_STATISTICS; k++) {
      const at = L.MONITOR_PATTERN + k;
      state[at]! += Math.trunc(((pattern[k]! << 6) - state[at]!) / blocks);
    }
    state[L.MONITOR_PHASE] = (state[L.MONITOR_PHASE]! + 1) & (L.MONITOR_PHASE_BLOCKS - 1);
    if (state[L.MONITOR_PHASE] !== 0 || blocks < L.MONITOR_PATTERN_LEAST) return;
    const { number, gain } = findTurn(limits, state.subarray(L.MONITOR_PATTERN, L.MONITOR_PATTERN + PATTERN_STATISTICS));
    this.#compare(L.FAULT_TURNED, gain, limits.turnLimit);
    state[L.MONITOR_TURN] = number;
  }

  /** Raised beyond the limit, cleared below half of it. */
  #compare(fault: number, value: number, limit: number): void {
    if (value > limit) this.#state[L.MONITOR_FAULTS]! |= fault;
    else if (value < limit >> 1) this.#state[L.MONITOR_FAULTS]! &= ~fault;
  }
}

function firstUnchanged(changed: number): number {
  return 31 - Math.clz32(~changed & -~changed);
}

/** How much better, Q12, the best turned sensor explains a pattern (Q6 of its statistics) than the one as trained, and its number. */
export function findTurn(limits: Plausibility, pattern: Int32Array): { readonly number: number; readonly gain: number } {
  let number = 0;
  let least = 2 ** 31 - 1;
  const asTrained = patternDistance(limits, pattern);
  for (const turn of turnNumbers) {
    if (turn === 0) continue;
    const distance = patternDistance(limits, turnPattern(pattern, turnOfNumber(turn)));
    if (distance >= least) continue;
    least = distance;
    number = turn;
  }
  return { number, gain: asTrained - least };
}

export function addFrame(state: Int32Array, frame: ArrayLike<number>, before: ArrayLike<number> | undefined): void {
  for (let a = 0; a < CHANNELS; a++) {
    const steps = frame[a]! >> L.MONITOR_STEP_SHIFT;
    state[L.MONITOR_SUMS + a]! += steps;
    for (let b = a; b < CHANNELS; b++) state[L.MONITOR_PRODUCTS + productIndex(a, b)]! += steps * (frame[b]! >> L.MONITOR_STEP_SHIFT);
    if (before === undefined) continue;
    const change = frame[a]! - before[a]!;
    if (change !== 0) state[L.MONITOR_CHANGED]! |= 1 << a;
    if (a >= AXES) continue;
    state[L.MONITOR_JERK]! += Math.abs(change);
    state[L.MONITOR_SWAPPED_JERK]! += Math.abs(swapBytes(frame[a]!) - swapBytes(before[a]!));
  }
  state[L.MONITOR_FRAMES]! += 1;
}

/** An s16 with its two bytes swapped. */
function swapBytes(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8)) >> 16;
}

/** n² times the covariance of channels a ≤ b, steps². */
function covariance(state: Int32Array, a: number, b: number): number {
  return state[L.MONITOR_PRODUCTS + productIndex(a, b)]! * FRAMES - state[L.MONITOR_SUMS + a]! * state[L.MONITOR_SUMS + b]!;
}

/** What the whole block in `state` (MONITOR_ words) measured. */
export function measureBlock(state: Int32Array): BlockMeasures {
  let [gravity, strength, power] = [0, 0, 0];
  for (let a = 0; a < AXES; a++) {
    gravity += state[L.MONITOR_SUMS + a]! ** 2;
    strength += state[L.MONITOR_PRODUCTS + productIndex(a, a)]! * FRAMES;
    power += covariance(state, a, a);
  }
  return {
    isSwapped: state[L.MONITOR_SWAPPED_JERK]! * 2 ** L.MONITOR_JERK_SHIFT < state[L.MONITOR_JERK]!,
    gravity: Math.floor(Math.sqrt(gravity)),
    strength: Math.floor(Math.sqrt(strength)),
    changed: state[L.MONITOR_CHANGED]!,
    power,
  };
}

/** What the whole block of movement in `state` measured. `gravity` of its measures. */
export function measureMovement(state: Int32Array, gravity: number): MovementMeasures {
  const pattern = new Int32Array(PATTERN_STATISTICS);
  const variances = Array.from({ length: CHANNELS }, (_, c) => covariance(state, c, c) + FLOOR);
  const roots = variances.map((variance) => Math.floor(Math.sqrt(variance)));
  const logs = variances.map(log2Q8);
  const totals = [0, AXES].map((c) => log2Q8(variances[c]! + variances[c + 1]! + variances[c + 2]!));
  for (let i = 0; i < AXES; i++) pattern[i] = Math.trunc((state[L.MONITOR_SUMS + i]! * ONE_Q10) / Math.max(1, gravity));
  for (let c = 0; c < CHANNELS; c++) pattern[AXES + c] = logs[c]! - totals[Math.floor(c / AXES)]!;
  for (let a = 0; a < CHANNELS; a++)
    for (let b = a + 1; b < CHANNELS; b++)
      pattern[correlationIndex(a, b)] = Math.trunc((covariance(state, a, b) * ONE_Q10) / (roots[a]! * roots[b]!));
  return { ratio: totals[1]! - totals[0]!, pattern };
}
