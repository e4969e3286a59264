import * as L from "../../assembly/layout.ts";
import { addToBlock, clearBlock, computeScore, countVote, measureBlock } from "../core/arithmetic/plausibility.ts";
import type { Plausibility, PlausibilityRule } from "../core/image/image-types.ts";
import { labelledSpan, type Recording } from "../data/recording.ts";
import { fitTurned } from "./fit-turned.ts";

/** Deviation of the acceleration, three axes together, above which a block counts as movement. */
const MOVING_G = 0.2;
/** Least moving blocks that rules about movement are fitted on: 4 minutes. */
const LEAST_MOVING = 200;
/** Factors beyond all but a share of the blocks: of the acceleration's strength, and of its variance over the gyroscope's. */
const STRONG_MARGIN = 1.5;
const STRENGTH_TAIL = 0.001;
const GYROSCOPE_MARGIN = 64;
const GYROSCOPE_TAIL = 0.1; // trials in a row jump from lying to standing without a turn
/** Less vertical acceleration than this while walking, g: gravity is on another axis. Upright, it is 1. */
const VERTICAL_G = 0.3;
/** Votes that raise a fault: so many times the most that a fit wearer reaches, at least these, and a rule that needs more than MOST_ON times is left out. */
const ON = { accelerometer: 3, stuck: 4, gyroscope: 5, axes: 5, turned: 40 };
const OWN_MARGIN = 2;
const MOST_ON = 2;

const STEP = 2 ** L.MONITOR_STEP_SHIFT;
const UP_ONE = 1024; // a unit vector in weights

/** Features of a wearer's blocks, (blocks,) of (MONITOR_FEATURES,), in the order of the recordings. */
export type WearerBlocks = readonly Int32Array[];

/** The blocks that the monitor makes of a wearer's recordings while the sensor is worn, one recording after the other. */
export function measureBlocks(recordings: readonly Recording[], patchFrames: number): WearerBlocks {
  const blocks: Int32Array[] = [];
  const state = new Int32Array(L.MONITOR_WORDS);
  for (const { frames, channels } of recordings.map(labelledSpan))
    for (let end = patchFrames * channels; end <= frames.length; end += patchFrames * channels) {
      const last = frames.subarray(end - channels, end);
      if (!addToBlock(state, last, frames.subarray(end - 2 * channels, end - channels))) continue;
      measureBlock(state);
      blocks.push(state.slice(0, L.MONITOR_FEATURES));
      clearBlock(state);
    }
  return blocks;
}

/** Times that a rule's fault was raised in a wearer's blocks, and its most votes before. `gate`: which blocks move. */
export function countRaised(rule: PlausibilityRule, gate: PlausibilityRule, blocks: WearerBlocks): { raised: number; mostVotes: number } {
  let [votes, raised, mostVotes] = [0, 0, 0];
  for (const features of blocks) {
    const next = countVote(votes, rule, computeScore(rule, features) > 0, computeScore(gate, features) > 0);
    if (next > rule.on && votes <= rule.on) raised++;
    votes = next;
    mostVotes = Math.max(mostVotes, votes);
  }
  return { raised, mostVotes };
}

/**
 * Rules of the plausibility monitor from what sound sensors measured on the fit wearers. A rule that comes near its fault on one of them, or
 * raises it on one of the others, is left out. Undefined if there is too little movement. The same bits at every call.
 */
export function fitPlausibility(
  fit: readonly WearerBlocks[],
  others: readonly WearerBlocks[],
  countsPerG: number,
): Plausibility | undefined {
  const all = fit.flat();
  const g = countsPerG / STEP; // steps
  const gate = createRule(0, L.RULE_MODE_GATE, 1, L.MONITOR_POWER, [1], -((MOVING_G * g * L.MONITOR_BLOCK) ** 2));
  const moving = all.filter((features) => computeScore(gate, features) > 0);
  if (moving.length < LEAST_MOVING) return undefined;
  const strengths = all.map((features) => features[L.MONITOR_STRENGTH]!);
  const share = quantile(
    moving.map((features) => features[L.MONITOR_POWER]! / Math.max(1, features[L.MONITOR_POWER + 1]!)),
    1 - GYROSCOPE_TAIL,
  );
  const up = meanUp(moving);
  const upWeights = up.map((value) => -value * UP_ONE);
  const vertical = VERTICAL_G * g * L.MONITOR_BLOCK * UP_ONE;
  const { FAULT_ACCELEROMETER, FAULT_STUCK, FAULT_GYROSCOPE, FAULT_AXES, FAULT_TURNED } = L;
  const { RULE_MODE_ALWAYS: always, RULE_MODE_MOVING: whileMoving } = L;
  const { accelerometer, stuck, gyroscope, axes, turned } = ON;
  const turnedWeights = fitTurned(moving, up);
  const rules = [
    createRule(
      FAULT_ACCELEROMETER,
      always,
      accelerometer,
      L.MONITOR_STRENGTH,
      [1],
      -(STRONG_MARGIN ** 2) * quantile(strengths, 1 - STRENGTH_TAIL),
    ),
    createRule(FAULT_STUCK, always, stuck, L.MONITOR_UNCHANGED, [1], 0),
    createRule(FAULT_GYROSCOPE, always, stuck, L.MONITOR_UNCHANGED + 1, [1], 0),
    createRule(FAULT_GYROSCOPE, whileMoving, gyroscope, L.MONITOR_POWER, [1, -share * GYROSCOPE_MARGIN], 0),
    createRule(FAULT_AXES, L.RULE_MODE_RESTED, axes, L.MONITOR_SUMS, upWeights, vertical),
    createRule(FAULT_TURNED, whileMoving, turned, L.MONITOR_PRODUCTS, turnedWeights, 0),
  ];
  const kept = rules.flatMap((rule) => {
    const most = Math.max(...fit.map((blocks) => countRaised({ ...rule, on: L.LIMIT_RULE_ON }, gate, blocks).mostVotes));
    const own = { ...rule, on: Math.max(rule.on, OWN_MARGIN * most) };
    const isQuiet = others.every((blocks) => countRaised(own, gate, blocks).raised === 0);
    return isQuiet && own.on <= MOST_ON * rule.on ? [own] : [];
  });
  return { rules: [gate, ...kept] };
}

function createRule(fault: number, mode: number, on: number, first: number, weights: ArrayLike<number>, bias: number): PlausibilityRule {
  return { fault, mode, on, bias: Math.round(bias), first, weights: Int16Array.from(weights, Math.round) };
}

/** Mean direction of gravity, (3,) of length 1. */
function meanUp(moving: readonly Int32Array[]): number[] {
  const sums = [0, 1, 2].map((axis) => moving.reduce((sum, features) => sum + features[L.MONITOR_SUMS + axis]!, 0));
  const length = Math.hypot(...sums);
  return sums.map((sum) => sum / length);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
