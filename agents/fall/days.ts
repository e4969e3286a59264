import type { Dataset, Recording, Segment } from "../../host/data/recording.ts";
import { SISFALL_DAILY, SISFALL_FALL } from "../../host/data/sisfall.ts";
import { impactFrame } from "../../host/data/sisfall-impact.ts";

/** Around the impact, in frames at 50 Hz: the fall, and what is too near it to be either class. */
const fall = { from: 10, to: 140 }; // 2.6 s: one published window, from 0.2 s after the impact on
const unsure = { from: -60, to: 220 };
/** Frames after the seam between two trials that say nothing: nobody gets up from the floor in 20 ms. */
const seamFrames = 50;
/** A length that the trainer evaluates without padding: 5,376 patches of 4 frames. */
const dayFrames = 21_504;

/** A trial's segments: a daily one is daily throughout; a fall has the fall around its impact, and daily life before and long after. */
export function trialSegments({ frames, labels }: Recording): Segment[] {
  const n = labels.length;
  if (labels[0] !== SISFALL_FALL) return [{ label: SISFALL_DAILY, start: 0, end: n }];
  const impact = impactFrame(frames);
  const clip = (offset: number): number => Math.max(0, Math.min(n, impact + offset));
  return [
    { label: SISFALL_DAILY, start: 0, end: clip(unsure.from) },
    { label: SISFALL_FALL, start: clip(fall.from), end: clip(fall.to) },
    { label: SISFALL_DAILY, start: clip(unsure.to), end: n },
  ].filter(({ start, end }) => end > start);
}

/**
 * Trials of each wearer one after the other, in recordings of up to `dayFrames`: falls among daily trials, as evenly as they go. A net that
 * streams learns here to go on after a fall, and never meets a state from nowhere.
 */
export function wearerDays({ recordings }: Dataset): Dataset {
  const subjects = [...new Set(recordings.map(({ subject }) => subject))];
  return { recordings: subjects.flatMap((subject) => daysOf(mixed(recordings.filter((one) => one.subject === subject)), subject)) };
}

/** Falls spread evenly among the daily trials; a stride that shares no factor with the count keeps repetitions of one activity apart. */
function mixed(trials: readonly Recording[]): Recording[] {
  const kinds = [SISFALL_DAILY, SISFALL_FALL].map((label) => spread(trials.filter(({ labels }) => labels[0] === label)));
  return kinds
    .flatMap((kind) => kind.map((trial, i) => ({ trial, at: (i + 0.5) / kind.length })))
    .sort((a, b) => a.at - b.at)
    .map(({ trial }) => trial);
}

function spread<T>(items: readonly T[]): T[] {
  const stride = [17, 19, 23].find((prime) => items.length % prime !== 0) ?? 1;
  return items.map((_, i) => items[(i * stride) % items.length]!);
}

function daysOf(trials: readonly Recording[], subject: string): Recording[] {
  const days: Recording[] = [];
  for (let from = 0; from < trials.length; ) {
    let to = from;
    let length = 0;
    while (to < trials.length && (to === from || length + trials[to]!.labels.length <= dayFrames)) length += trials[to++]!.labels.length;
    days.push(joined(trials.slice(from, to), `${subject}_${days.length + 1}`));
    from = to;
  }
  return days;
}

function joined(trials: readonly Recording[], name: string): Recording {
  const length = trials.reduce((sum, { labels }) => sum + labels.length, 0);
  const { subject, channels } = trials[0]!;
  const frames = new Int16Array(length * channels);
  const labels = new Uint8Array(length);
  const segments: Segment[] = [];
  let at = 0;
  for (const trial of trials) {
    frames.set(trial.frames, at * channels);
    for (const { label, start, end } of trialSegments(trial)) {
      const from = Math.max(start, at === 0 ? 0 : seamFrames);
      if (end - from < 1) continue;
      labels.fill(label, at + from, at + end);
      segments.push({ label, start: at + from, end: at + end });
    }
    at += trial.labels.length;
  }
  return { name, subject, channels, frames, labels, segments };
}
