import { DataError } from "../core/system/errors.ts";
import type { Random } from "../core/system/random.ts";
import { countWindowFrames, isScored, type Recording, type Segment, scoredWindows } from "../data/recording.ts";
import type { SequenceStart } from "./batches.ts";

/** Draws the starts of one batch. */
export type Sampler = (count: number, random: Random) => SequenceStart[];

interface DrawnWindow {
  readonly recording: Recording;
  readonly label: number;
  readonly start: number;
  readonly from: number; // where it may be moved to
  readonly to: number;
}

/**
 * Published windows of the basic activities, moved by up to half a stride inside their segment; a share of them end in a transition instead.
 * `balance`: see Recipe.
 */
export function windowSampler(recordings: readonly Recording[], transitionShare: number, balance = 0): Sampler {
  const windows = recordings.flatMap(windowsToDraw);
  const transitions = recordings.flatMap((recording) =>
    recording.segments
      .filter(({ label, start }) => !isScored(recording, label) && start >= countWindowFrames(recording))
      .map(({ start, end }) => ({ recording, from: start, to: end })),
  );
  const pick = createPick(windows, balance);
  return (count, random) => {
    const frames = countWindowFrames(recordings[0] ?? {});
    if (windows.length === 0) throw tooShort(`no stretch of one activity of ${frames} frames`);
    if (transitionShare > 0 && transitions.length === 0) throw tooShort(`no transition with ${frames} frames before it`);
    return Array.from({ length: count }, () => {
      if (random.uniform() < transitionShare) {
        const { recording, from, to } = transitions[random.integer(transitions.length)]!;
        return { recording, start: from + random.integer(to - from) + 1 - frames };
      }
      const { recording, start, from, to } = windows[pick(random)]!;
      const moved = start + random.integer(frames / 2) - frames / 4;
      return { recording, start: Math.max(from, Math.min(to, moved)) };
    });
  };
}

/** The scored windows of a recording, each with the room that it may be moved in: its segment, or the recording if a rule labels it. */
function windowsToDraw(recording: Recording): DrawnWindow[] {
  const frames = countWindowFrames(recording);
  const last = recording.labels.length - frames;
  if (recording.windows) return scoredWindows(recording).map((window) => ({ recording, ...window, from: 0, to: last }));
  return recording.segments
    .filter(({ label }) => isScored(recording, label))
    .flatMap(({ label, start, end }) =>
      Array.from({ length: Math.max(0, Math.floor((2 * (end - start)) / frames) - 1) }, (_, i) => ({
        ...{ recording, label, start: start + (i * frames) / 2, from: start, to: end - frames },
      })),
    );
}

/** Draws the index of a window; by weight if there is a balance. */
function createPick(windows: readonly DrawnWindow[], balance: number): (random: Random) => number {
  if (balance === 0) return (random) => random.integer(windows.length);
  const tally = (key: (window: DrawnWindow) => number | string): Map<number | string, number> => {
    const counts = new Map<number | string, number>();
    for (const window of windows) counts.set(key(window), (counts.get(key(window)) ?? 0) + 1);
    return counts;
  };
  const [labels, subjects] = [tally(({ label }) => label), tally(({ recording }) => recording.subject)];
  let sum = 0;
  const sums = Float64Array.from(windows, ({ label, recording }) => {
    sum += (labels.get(label)! * subjects.get(recording.subject)!) ** -balance;
    return sum;
  });
  return (random) => {
    const drawn = random.uniform() * sum;
    let [low, high] = [0, windows.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/**
 * Stretches of `patches` patches anywhere in any recording, each equally likely. A share of them is spliced of two stretches of one
 * recording at a moment of walking or standing: HAPT's protocol never lets anybody stand still after a walk, life does. With a `balance`
 * every second one holds a window that is drawn as windowSampler draws them.
 */
export function cropSampler(
  recordings: readonly Recording[],
  shape: {
    readonly channels: number;
    readonly patchFrames: number;
    readonly patches: number;
    readonly spliceShare: number;
    readonly balance?: number | undefined;
  },
): Sampler {
  const { channels, patchFrames, patches, balance = 0 } = shape;
  const frames = patches * patchFrames;
  const lengths = recordings.map((recording) => recording.frames.length / channels);
  const rooms = lengths.map((length) => Math.max(0, length - frames + 1));
  const total = rooms.reduce((sum, room) => sum + room, 0);
  const long = recordings.filter((_, i) => rooms[i]! > 0);
  const windows = balance > 0 ? long.flatMap(windowsToDraw) : [];
  const pick = createPick(windows, balance);
  return (count, random) => {
    if (total === 0) throw tooShort(`none of ${frames} frames`);
    return Array.from({ length: count }, (_, n) => {
      if (windows.length > 0 && n % 2 === 1) {
        const { recording, start } = windows[pick(random)]!;
        const before = random.integer(frames - countWindowFrames(recording) + 1);
        return { recording, start: Math.max(0, Math.min(recording.labels.length - frames, start - before)) };
      }
      let at = random.integer(total);
      let i = 0;
      while (at >= rooms[i]!) at -= rooms[i++]!;
      const recording = recordings[i]!;
      if (random.uniform() >= shape.spliceShare) return { recording, start: at };
      const patch = SPLICE_MARGIN + random.integer(patches - 2 * SPLICE_MARGIN);
      const before = patch * patchFrames;
      const gaits = recording.segments.filter(({ label }) => label <= LAST_GAIT);
      const upright = recording.segments.filter(({ label }) => label <= LAST_GAIT || label === STANDING);
      const isGaitFirst = random.uniform() < 0.5;
      const first = momentIn(isGaitFirst ? gaits : upright, random, before, lengths[i]!);
      const second = momentIn(isGaitFirst ? upright : gaits, random, 0, lengths[i]! - (frames - before));
      return first === undefined || second === undefined
        ? { recording, start: at }
        : { recording, start: first - before, splice: { patch, start: second } };
    });
  };
}

function tooShort(what: string): DataError {
  return new DataError(
    "RECORDINGS_SHORT",
    `the recordings to train on have ${what}: give longer ones, or a recipe with shorter sequences.`,
  );
}

const SPLICE_MARGIN = 8; // patches on either side
const LAST_GAIT = 3;
const STANDING = 5;

/** A random frame of a random segment, between `from` and `to`; undefined where eight tries found none. */
function momentIn(segments: readonly Segment[], random: Random, from: number, to: number): number | undefined {
  for (let tries = 0; tries < 8 && segments.length > 0; tries++) {
    const { start, end } = segments[random.integer(segments.length)]!;
    const frame = start + random.integer(end - start);
    if (frame >= from && frame <= to) return frame;
  }
  return undefined;
}
