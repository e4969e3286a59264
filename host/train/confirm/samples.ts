import { type Motion, sliceMotion } from "../../cloud/confirm/motion.ts";
import { contextStatistics, isMoving, STATISTICS_RATE_HZ } from "../../cloud/confirm/statistics.ts";

/** Seconds from the impact in which a suspicion is about it, and beyond which it is not. */
const ABOUT = { from: -0.5, to: 2 };
const APART = { before: 0.5, after: 4.4 };

/** How contexts are cut out of recordings. */
export interface SampleOptions {
  readonly contextFrames: number;
  readonly afterFrames: number;
  readonly hopFrames: number;
}

/** A context around one moment of a recording. */
export interface Sample {
  readonly frame: number; // frames before the suspicion
  readonly statistics: Float64Array;
  readonly isFall: boolean;
  readonly sinceImpact: number | undefined; // seconds; undefined: the recording has none
}

/** The context of a suspicion after `suspicion` frames of a recording: what the device would send `afterFrames` later. */
function contextAt(motion: Motion, suspicion: number, { contextFrames, afterFrames }: SampleOptions): Motion {
  const end = suspicion + afterFrames;
  return sliceMotion(motion, Math.max(0, end - contextFrames), end);
}

/**
 * The contexts of every hop with movement, as if it were suspicious. With an impact those about it are falls, those well before or after
 * it daily life, and what lies between says nothing.
 */
export function samplesOf(motion: Motion, impact: number | undefined, options: SampleOptions, every = 1): Sample[] {
  const { hopFrames, afterFrames } = options;
  const samples: Sample[] = [];
  for (let frame = hopFrames; frame + afterFrames <= motion.frames; frame += hopFrames) {
    const seconds = impact === undefined ? undefined : (frame - impact) / STATISTICS_RATE_HZ;
    const isFall = seconds !== undefined && seconds >= ABOUT.from && seconds <= ABOUT.to;
    const isDaily = seconds === undefined || seconds + afterFrames / STATISTICS_RATE_HZ < -APART.before || seconds > APART.after;
    if (!(isFall || isDaily) || !isMoving(motion, frame)) continue;
    if (isDaily && (frame / hopFrames) % every !== 0) continue;
    samples.push({ frame, statistics: contextStatistics(contextAt(motion, frame, options), afterFrames), isFall, sinceImpact: seconds });
  }
  return samples;
}
