import * as L from "../../assembly/layout.ts";
import { addFrame, findTurn, measureBlock, measureMovement, PlausibilityMonitor } from "../core/arithmetic/plausibility.ts";
import type { Plausibility } from "../core/image/image-types.ts";
import type { Recording } from "../data/recording.ts";

/** Deviation of the acceleration, three axes together, above which a block counts as movement. */
const MOVING_G = 0.13;
/** Beyond the extremes of the recordings: of gravity, of the ratio's recent mean, of the pattern's gain. */
const GRAVITY_MARGIN_G = 0.1;
const RATIO_MARGIN_OCTAVES = 1.5;
const TURN_MARGIN = 12;
/** A recent mean of gravity's direction that lies so far from upright is implausible: at least 55°, and beyond what the recordings show. */
const TILT_LEAST_DEGREES = 55;
const TILT_MARGIN = 0.1;
/** Least deviation of a pattern's statistic, so that none counts for all the others. */
const LEAST_DEVIATION = 0.02;

const BLOCK_FRAMES = 2 ** L.MONITOR_BLOCK_SHIFT;
const ONE = 2 ** L.FIXED_PATTERN_BITS;

/** A block's measures, and those of its movement if it moves. */
interface Block {
  readonly gravity: number;
  readonly strength: number;
  readonly movement: ReturnType<typeof measureMovement> | undefined;
}

function* blocksOf({ frames, channels }: Recording, moving: number): Generator<Block> {
  const state = new Int32Array(L.MONITOR_WORDS);
  for (let at = 0, count = 1; at < frames.length; at += channels, count++) {
    addFrame(state, frames.subarray(at, at + channels), at === 0 ? undefined : frames.subarray(at - channels, at));
    if (count % BLOCK_FRAMES !== 0) continue;
    const { gravity, strength, power } = measureBlock(state);
    const movement = power > moving * BLOCK_FRAMES ? measureMovement(state, gravity) : undefined;
    yield { gravity, strength, movement };
    state.fill(0, 0, L.MONITOR_JUDGED);
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/**
 * Limits of the plausibility monitor from what sound sensors measured on wearers, `countsPerG` of the accelerometer. Undefined where the
 * recordings hold too little movement. The same bits at every call.
 */
export function fitPlausibility(recordings: readonly Recording[], countsPerG: number): Plausibility | undefined {
  const moving = Math.round((MOVING_G * countsPerG) ** 2);
  const blocks = recordings.map((recording) => [...blocksOf(recording, moving)]);
  const movements = blocks.flat().flatMap(({ movement }) => (movement ? [movement] : []));
  if (movements.length < L.MONITOR_PATTERN_BLOCKS) return undefined;
  const up = [0, 1, 2].map((i) => meanOf(movements.map(({ pattern }) => pattern[i]!)));
  const length = Math.hypot(...up);
  const [upX, upY, upZ] = up.map((value) => Math.round((value / length) * ONE)) as [number, number, number];
  const open: Plausibility = {
    gravityLow: 0,
    gravityHigh: 2 ** 16,
    moving,
    ratio: Math.round(meanOf(movements.map(({ ratio }) => ratio))),
    ratioLimit: L.LIMIT_RATIO,
    upX,
    upY,
    upZ,
    tiltLimit: 2 * ONE,
    turnLimit: L.LIMIT_TURN,
    means: new Int16Array(L.PATTERN_STATISTICS),
    weights: new Int16Array(L.PATTERN_STATISTICS),
  };
  const followed = follow(recordings, open);
  const shaped = { ...open, ...shapePattern(followed.patterns) };
  const gains = followed.patterns.map((pattern) => findTurn(shaped, pattern).gain);
  const gravities = blocks.flat();
  const margin = GRAVITY_MARGIN_G * countsPerG;
  return {
    ...shaped,
    gravityLow: Math.round(-most(gravities.map(({ strength }) => -strength)) / 8 - margin),
    gravityHigh: Math.round(most(gravities.map(({ gravity }) => gravity)) / 8 + margin),
    ratioLimit: Math.round(most(followed.ratios) + RATIO_MARGIN_OCTAVES * 2 ** L.FIXED_LOG_BITS),
    tiltLimit: Math.round(Math.max(most(followed.tilts) + TILT_MARGIN * ONE, (1 - Math.cos((TILT_LEAST_DEGREES * Math.PI) / 180)) * ONE)),
    turnLimit: Math.round(Math.max(0, most(gains)) + TURN_MARGIN * 4096),
  };
}

/** Recent means as the monitor keeps them, wearer by wearer: |ratio| Q8, tilt Q10, and the long-term patterns. */
function follow(recordings: readonly Recording[], open: Plausibility) {
  const ratios: number[] = [];
  const tilts: number[] = [];
  const patterns: Int32Array[] = [];
  for (const subject of new Set(recordings.map((recording) => recording.subject))) {
    const state = new Int32Array(L.MONITOR_WORDS);
    const monitor = new PlausibilityMonitor(open, state);
    for (const { frames, channels } of recordings.filter((recording) => recording.subject === subject))
      for (let at = 0; at < frames.length; at += channels) {
        if (!monitor.push(frames.subarray(at, at + channels), at === 0 ? undefined : frames.subarray(at - channels, at))) continue;
        ratios.push(Math.abs(state[L.MONITOR_RATIO]!) >> 4);
        tilts.push(state[L.MONITOR_TILT]! >> 4);
        if (state[L.MONITOR_MOVING]! >= L.MONITOR_PATTERN_LEAST)
          patterns.push(state.slice(L.MONITOR_PATTERN, L.MONITOR_PATTERN + L.PATTERN_STATISTICS));
      }
  }
  return { ratios, tilts, patterns };
}

/** Means of the patterns, and the weights 2^14 / deviation. */
function shapePattern(patterns: readonly Int32Array[]): Pick<Plausibility, "means" | "weights"> {
  const means = new Int16Array(L.PATTERN_STATISTICS);
  const weights = new Int16Array(L.PATTERN_STATISTICS);
  for (let k = 0; k < L.PATTERN_STATISTICS; k++) {
    const values = patterns.map((pattern) => pattern[k]! / 64);
    const mean = meanOf(values);
    const deviation = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
    means[k] = Math.round(mean);
    weights[k] = Math.round(2 ** 14 / (deviation + LEAST_DEVIATION * ONE));
  }
  return { means, weights };
}
