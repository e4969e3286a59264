import type { Random } from "../core/system/random.ts";

/** How a stretch begins, other than as people usually change posture: with a fall, by dropping onto a chair, or by lying down in one go. */
export type Arrival = "fall" | "hard" | "quick";

/** Labels of the frames of wearers who fall. */
export interface FallLabels {
  readonly fall: string; // from 0.2 to 2.8 s after the impact, as the fall agent's training has it
  readonly otherwise: string;
}

/** What such a wearer does, in order, and again: falls once and lies there, sits down hard, lies down in one go and slowly. */
export const FALL_CYCLE: readonly { readonly label: string; readonly seconds: number; readonly arrival?: Arrival }[] = [
  { label: "standing", seconds: 6 },
  { label: "walking", seconds: 9 },
  { label: "laying", seconds: 15, arrival: "fall" },
  { label: "standing", seconds: 6 },
  { label: "sitting", seconds: 9, arrival: "hard" },
  { label: "laying", seconds: 12, arrival: "quick" },
  { label: "standing", seconds: 7 },
  { label: "laying", seconds: 12 },
];

/** Of the fall's label after the impact. */
const FALLEN_SECONDS = { from: 0.2, to: 2.8 };
const G = 2048; // counts
const PER_DEGREE = 16; // counts per °/s
const IMPACT_SECONDS = 0.08;

/** What each kind is like: made up, to show what an agent does, and no measure of it. Ranges are drawn from uniformly. Times in s, peaks in g above the rest, `lightness` the share of gravity lost in the drop. */
const KINDS = {
  fall: { dropSeconds: [0.5, 0.75], peak: [4.5, 7.5], lightness: 0.75, settleSeconds: 0.7, shake: 160 },
  hard: { dropSeconds: [0.4, 0.6], peak: [1.6, 2.6], lightness: 0.3, settleSeconds: 0.5, shake: 40 }, // onto a chair
  quick: { dropSeconds: [0.5, 0.8], peak: [0.6, 1.2], lightness: 0.1, settleSeconds: 0.5, shake: 40 }, // onto a mattress
} as const satisfies Record<Arrival, unknown>;

/** The frames of one arrival. */
export interface ArrivalMotion {
  readonly frames: number;
  /** Frame i, (6,) counts, from what the motions before and after give. */
  frame(i: number, before: Float64Array, after: Float64Array): Float64Array;
  /** Whether frame i, which may lie beyond `frames`, has the label of a fall. */
  isFallen(i: number): boolean;
}

/**
 * Drop, impact and settling between two postures: gravity turns from one to the other, and most of it is gone while the body drops (free
 * fall); the impact is a half-sine pulse along the new upright and what is left of the old, then rings off. `from` and `to`: (6,) mean frames.
 */
export function createArrival(
  kind: Arrival,
  from: readonly number[],
  to: readonly number[],
  rateHz: number,
  random: Random,
): ArrivalMotion {
  const { dropSeconds, peak, lightness, settleSeconds, shake } = KINDS[kind];
  const draw = ([least, most]: readonly [number, number]): number => least + (most - least) * random.uniform();
  const drop = Math.round(draw(dropSeconds) * rateHz);
  const frames = drop + Math.round(settleSeconds * rateHz);
  const peakCounts = draw(peak) * G;
  const axis = cross(from, to);
  const size = Math.hypot(...axis);
  const angle = Math.atan2(size, from[0]! * to[0]! + from[1]! * to[1]! + from[2]! * to[2]!) * (180 / Math.PI);
  const along = [0, 1, 2].map((c) => (0.8 * to[c]! + 0.6 * from[c]!) / G);
  const shakes = [0, 1, 2].map(() => shake * PER_DEGREE * (2 * random.uniform() - 1));
  return {
    frames,
    frame(i, before, after) {
      const share = Math.min(1, (i + 0.5) / drop);
      const weight = share * share * (3 - 2 * share);
      const light = i < drop ? 1 - lightness * Math.sin(Math.PI * Math.min(1, share * 1.1)) ** 2 * share ** 0.5 : 1;
      const sinceImpact = (i - drop) / rateHz;
      const hit = sinceImpact < 0 ? 0 : impact(sinceImpact);
      const turn = size < 1 || i >= drop ? 0 : ((angle / (drop / rateHz)) * Math.PI * Math.sin(Math.PI * share)) / 2;
      return Float64Array.from({ length: 6 }, (_, c) => {
        const blended = (1 - weight) * before[c]! + weight * after[c]!;
        if (c < 3) return blended * light + hit * peakCounts * along[c]!;
        return blended - (size < 1 ? 0 : (PER_DEGREE * turn * axis[c - 3]!) / size) + hit * shakes[c - 3]!;
      });
    },
    isFallen: (i) => kind === "fall" && i >= drop + FALLEN_SECONDS.from * rateHz && i < drop + FALLEN_SECONDS.to * rateHz,
  };
}

/** A half-sine pulse, then a 9 Hz oscillation that has decayed to a third after 0.1 s. */
function impact(seconds: number): number {
  if (seconds < IMPACT_SECONDS) return Math.sin((Math.PI * (seconds + 0.01)) / (IMPACT_SECONDS + 0.01));
  return -0.35 * Math.exp(-(seconds - IMPACT_SECONDS) / 0.1) * Math.sin(2 * Math.PI * 9 * (seconds - IMPACT_SECONDS));
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1]! * b[2]! - a[2]! * b[1]!, a[2]! * b[0]! - a[0]! * b[2]!, a[0]! * b[1]! - a[1]! * b[0]!];
}
