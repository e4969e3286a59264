import { DataError } from "../core/system/errors.ts";
import { createRandom, type Random } from "../core/system/random.ts";
import { type Arrival, type ArrivalMotion, createArrival, FALL_CYCLE, type FallLabels } from "./synthetic-falls.ts";

/** How one wearer moves in one activity; amplitudes in counts (1/2048 g, 1/16 °/s), order ax ay az gx gy gz. */
export interface MotionParameters {
  readonly mean: readonly number[];
  readonly meanDeviation: readonly number[]; // from one stretch to the next
  readonly noise: readonly { readonly deviation: number; readonly ar: readonly [number, number] }[];
  readonly strideHz?: number; // gaits alone
  readonly cosine?: readonly (readonly number[])[]; // (channels, harmonics)
  readonly sine?: readonly (readonly number[])[];
}

/** A bank of wearers, each with a motion for every label. Made by host/train/fit-synthetic.ts. */
export interface SyntheticParameters {
  readonly version: 1;
  readonly frameRateHz: number;
  readonly wearers: readonly Readonly<Record<string, MotionParameters>>[];
  /** The wearers fall now and then, and frames have these labels, not the activities'. Left out: nobody falls. */
  readonly falls?: FallLabels;
}

/** One stretch of the day. */
export interface SyntheticStretch {
  readonly label: string;
  readonly seconds: number;
  /** How it begins. Default: as people change posture. */
  readonly arrival?: Arrival;
}

export interface SyntheticWearerOptions {
  readonly parameters: SyntheticParameters;
  readonly seed: number;
  /** What to do, in order, then again from the start. Default: a Markov chain over the activities, 12–30 s each; FALL_CYCLE for wearers who fall. */
  readonly schedule?: readonly SyntheticStretch[];
}

export interface SyntheticFrame {
  readonly frame: Int16Array; // (6,) in counts; the caller may keep it
  readonly label: string; // an activity, or "transition" between two postures
}

/** Frames of a wearer who does not exist; the same seed gives the same frames. */
export interface SyntheticWearer {
  next(): SyntheticFrame;
}

export const TRANSITION_LABEL = "transition";

/** From each activity to those that may follow it. */
const follows: Readonly<Record<string, readonly string[]>> = {
  walking: ["standing", "upstairs", "downstairs"],
  upstairs: ["walking", "standing"],
  downstairs: ["walking", "standing"],
  standing: ["walking", "walking", "sitting", "laying", "upstairs", "downstairs"],
  sitting: ["standing", "laying"],
  laying: ["sitting", "standing"],
};
const postures = new Set(["sitting", "standing", "laying"]);
const channels = 6;
const stretchMinSeconds = 12;
const stretchMaxSeconds = 30;
const gaitFadeSeconds = 0.4;
const transitionMinSeconds = 2.2;
const transitionMaxSeconds = 3.8;
const periodDeviation = 0.02; // of a stride's length, as a slow wander
const amplitudeDeviation = 0.06;
/** Share of the deviation between real stretches: they differ in ways that a still mean does not show. */
const meanShare = 0.5;
const wanderSeconds = 2; // time constant of both

/** A wearer of the bank, chosen and slightly changed by the seed, who follows a schedule. */
export function createSyntheticWearer(options: SyntheticWearerOptions): SyntheticWearer {
  const { parameters } = options;
  if (parameters.wearers.length === 0)
    throw new DataError("SYNTHETIC_EMPTY", "the synthetic parameters hold no wearer. Fit them again with `dormouse train activity`.");
  const random = createRandom(options.seed);
  const wearer = parameters.wearers[random.integer(parameters.wearers.length)]!;
  const rate = parameters.frameRateHz;
  const personal = { speed: 1 + 0.03 * random.normal(), strength: 1 + 0.05 * random.normal() };
  const motionOf = (label: string): Motion => {
    const found = wearer[label];
    if (!found)
      throw new DataError(
        "SYNTHETIC_LABEL",
        `no motion "${label}" in the synthetic parameters; they have ${Object.keys(wearer).join(", ")}.`,
      );
    return createMotion(found, rate, personal, random);
  };
  const { schedule = parameters.falls && FALL_CYCLE } = options;
  let turn = 0;
  const choose = (before: string | undefined): SyntheticStretch => {
    if (schedule) return schedule[turn++ % schedule.length]!;
    const choices = before === undefined ? ["standing"] : (follows[before] ?? ["standing"]);
    const seconds = stretchMinSeconds + (stretchMaxSeconds - stretchMinSeconds) * random.uniform();
    return { label: choices[random.integer(choices.length)]!, seconds };
  };
  let stretch = choose(undefined);
  let motion = motionOf(stretch.label);
  let left = Math.round(stretch.seconds * rate);
  let fade: { from: Motion; frames: number; at: number; isPostural: boolean } | undefined;
  let arrival: { from: Motion; motion: ArrivalMotion; at: number } | undefined; // the last one
  const labelled = (label: string): string => {
    const { falls } = parameters;
    return falls === undefined ? label : arrival?.motion.isFallen(arrival.at - 1) ? falls.fall : falls.otherwise;
  };
  return {
    next() {
      if (left <= 0) {
        const before = stretch.label;
        stretch = choose(before);
        left = Math.round(stretch.seconds * rate);
        if (stretch.arrival !== undefined) {
          const from = motion;
          motion = motionOf(stretch.label);
          arrival = { from, motion: createArrival(stretch.arrival, from.mean, motion.mean, rate, random), at: 0 };
        } else if (stretch.label !== before) {
          const isPostural = postures.has(before) && postures.has(stretch.label);
          const seconds = isPostural
            ? transitionMinSeconds + (transitionMaxSeconds - transitionMinSeconds) * random.uniform()
            : gaitFadeSeconds;
          fade = { from: motion, frames: Math.round(seconds * rate), at: 0, isPostural };
          motion = motionOf(stretch.label);
        }
      }
      const values = motion.next();
      let label = stretch.label;
      if (arrival && arrival.at++ < arrival.motion.frames) {
        values.set(arrival.motion.frame(arrival.at - 1, arrival.from.next(), values));
      } else if (fade) {
        const share = (fade.at + 0.5) / fade.frames;
        const weight = share * share * (3 - 2 * share); // smooth at both ends
        const old = fade.from.next();
        for (let c = 0; c < channels; c++) values[c] = (1 - weight) * old[c]! + weight * values[c]!;
        if (fade.isPostural) {
          addTurn(values, fade.from.mean, motion.mean, share, fade.frames / rate);
          label = TRANSITION_LABEL;
        }
        if (++fade.at >= fade.frames) fade = undefined;
      } else left--;
      return { frame: Int16Array.from(values, toCounts), label: labelled(label) };
    },
  };
}

interface Motion {
  readonly mean: readonly number[];
  next(): Float64Array; // (6,)
}

function createMotion(p: MotionParameters, rate: number, personal: { speed: number; strength: number }, random: Random): Motion {
  const mean = p.mean.map((value, c) => value + meanShare * p.meanDeviation[c]! * random.normal());
  const noise = p.noise.map(({ deviation, ar }) => createAr2(deviation, ar, random));
  const wander = (): (() => number) => createWander(Math.exp(-1 / (wanderSeconds * rate)), random);
  const period = wander();
  const amplitude = wander();
  let phase = 2 * Math.PI * random.uniform();
  return {
    mean,
    next() {
      const values = Float64Array.from(mean, (value, c) => value + noise[c]!());
      if (p.strideHz !== undefined && p.cosine && p.sine) {
        phase += ((2 * Math.PI * p.strideHz) / rate) * personal.speed * (1 + periodDeviation * period());
        if (phase > 2 * Math.PI) phase -= 2 * Math.PI;
        const strength = personal.strength * (1 + amplitudeDeviation * amplitude());
        const n = p.cosine[0]!.length;
        for (let k = 0; k < n; k++) {
          const cosine = strength * Math.cos((k + 1) * phase);
          const sine = strength * Math.sin((k + 1) * phase);
          for (let c = 0; c < channels; c++) values[c]! += cosine * p.cosine[c]![k]! + sine * p.sine[c]![k]!;
        }
      }
      return values;
    },
  };
}

/** Turning from one posture to the next shows in the gyroscope: the rotation between the two gravities, spread as a bell. */
function addTurn(values: Float64Array, from: readonly number[], to: readonly number[], share: number, seconds: number): void {
  const cross = [from[1]! * to[2]! - from[2]! * to[1]!, from[2]! * to[0]! - from[0]! * to[2]!, from[0]! * to[1]! - from[1]! * to[0]!];
  const size = Math.hypot(...cross);
  if (size < 1) return;
  const angle = Math.atan2(size, from[0]! * to[0]! + from[1]! * to[1]! + from[2]! * to[2]!) * (180 / Math.PI);
  const rate = ((angle / seconds) * Math.sin(Math.PI * share) * Math.PI) / 2; // °/s; the integral is the angle
  // The body turns by +angle, so gravity, seen from the phone, turns the other way.
  for (let axis = 0; axis < 3; axis++) values[3 + axis]! -= (16 * rate * cross[axis]!) / size;
}

/** AR(2) noise of a given deviation; its innovation follows from the Yule–Walker equations. */
function createAr2(deviation: number, [first, second]: readonly [number, number], random: Random): () => number {
  const share = ((1 + second) * ((1 - second) ** 2 - first * first)) / (1 - second);
  const innovation = deviation * Math.sqrt(Math.max(1e-6, share));
  let last = 0;
  let before = 0;
  return () => {
    const value = first * last + second * before + innovation * random.normal();
    before = last;
    last = value;
    return value;
  };
}

/** Unit-variance AR(1). */
function createWander(memory: number, random: Random): () => number {
  let value = random.normal();
  return () => {
    value = memory * value + Math.sqrt(1 - memory * memory) * random.normal();
    return value;
  };
}

function toCounts(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.floor(value + 0.5)));
}
