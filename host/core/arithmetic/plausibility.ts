import * as L from "../../../assembly/layout.ts";
import type { Plausibility, PlausibilityRule } from "../image/image-types.ts";

const { MONITOR_CHANNELS: CHANNELS } = L;
const ROW = 2 * CHANNELS;

/** Adds a patch to the block under way in `state` (MONITOR_WORDS,): its last frame and the one before, (6,) counts. True when the block is whole. */
export function addToBlock(state: Int32Array, frame: ArrayLike<number>, before: ArrayLike<number>): boolean {
  const values = state.subarray(L.MONITOR_VALUES, L.MONITOR_VALUES + ROW);
  values.copyWithin(CHANNELS, 0, CHANNELS);
  for (let c = 0; c < CHANNELS; c++) {
    if (frame[c] !== before[c]) state[L.MONITOR_CHANGED]! |= 1 << c;
    values[c] = frame[c]! >> L.MONITOR_STEP_SHIFT;
  }
  let product = L.MONITOR_PRODUCTS;
  for (let a = 0; a < CHANNELS; a++) {
    state[L.MONITOR_SUMS + a]! += values[a]!;
    for (let b = 0; b < ROW; b++) state[product++]! += Math.imul(values[a]!, values[b]!);
  }
  state[L.MONITOR_PATCHES]! += 1;
  return state[L.MONITOR_PATCHES]! >= L.MONITOR_BLOCK;
}

/** Makes the sums and products of a whole block its features: the first MONITOR_FEATURES words. */
export function measureBlock(state: Int32Array): void {
  let product = L.MONITOR_PRODUCTS;
  for (let a = 0; a < CHANNELS; a++) {
    const triad = a < 3 ? 0 : 1;
    const diagonal = product + a;
    state[L.MONITOR_STRENGTH + triad]! += state[diagonal]!;
    for (let b = 0; b < ROW; b++, product++) {
      const sums = Math.imul(state[L.MONITOR_SUMS + a]!, state[L.MONITOR_SUMS + (b % CHANNELS)]!);
      state[product] = Math.imul(state[product]!, L.MONITOR_BLOCK) - sums;
    }
    state[L.MONITOR_POWER + triad]! += state[diagonal]!;
    state[L.MONITOR_UNCHANGED + triad]! += ((state[L.MONITOR_CHANGED]! >> a) & 1) ^ 1;
  }
}

/** Readies `state` for the next block: votes and the last patch stay. */
export function clearBlock(state: Int32Array): void {
  state.fill(0, 0, L.MONITOR_VALUES);
}

/** bias + Σ weight · feature: below 2^53, so exact. */
export function computeScore({ bias, first, weights }: PlausibilityRule, features: ArrayLike<number>): number {
  let score = bias;
  for (let i = 0; i < weights.length; i++) score += features[first + i]! * weights[i]!;
  return score;
}

/**
 * Whether an IMU's frames can be those of a worn sensor as the model was trained with: rules that vote on blocks of MONITOR_BLOCK patches.
 * Core: assembly/plausibility.ts, bit-exact.
 */
export class PlausibilityMonitor {
  readonly #rules: readonly PlausibilityRule[];
  readonly #state: Int32Array;

  constructor({ rules }: Plausibility, state: Int32Array = new Int32Array(L.MONITOR_WORDS)) {
    this.#rules = rules;
    this.#state = state;
  }

  /** FAULT_ bits that stand. */
  get faults(): number {
    return this.#state[L.MONITOR_FAULTS]! & L.FAULTS_ALL;
  }

  /** A patch: its last frame and the one before. True if a block ended. */
  push(frame: ArrayLike<number>, before: ArrayLike<number>): boolean {
    if (!addToBlock(this.#state, frame, before)) return false;
    measureBlock(this.#state);
    this.#judge();
    clearBlock(this.#state);
    return true;
  }

  #judge(): void {
    const state = this.#state;
    let isMoving = true;
    let faults = 0;
    for (const [r, rule] of this.#rules.entries()) {
      const isFault = computeScore(rule, state) > 0;
      if (rule.mode === L.RULE_MODE_GATE) {
        isMoving = isFault;
        continue;
      }
      const at = L.MONITOR_VOTES + r;
      state[at] = countVote(state[at]!, rule, isFault, isMoving);
      if (state[at]! > rule.on) faults |= rule.fault;
    }
    state[L.MONITOR_FAULTS] = faults;
  }
}

/** A rule's votes after one more. Above `on` its fault stands; they begin at the other end then, so that the last few votes do not toggle it. */
export function countVote(votes: number, { mode, on }: PlausibilityRule, isFault: boolean, isMoving: boolean): number {
  const isResting = !isMoving && mode !== L.RULE_MODE_ALWAYS;
  if (isResting && (mode !== L.RULE_MODE_RESTED || votes > on)) return votes;
  const isFor = isFault && !isResting;
  const next = Math.max(0, Math.min(2 * on, (votes + (isFor ? 1 : -1)) | 0));
  if (next !== on) return next;
  return isFor ? 2 * on : 0;
}
