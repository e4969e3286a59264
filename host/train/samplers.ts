import { DataError } from "../core/system/errors.ts";
import type { Random } from "../core/system/random.ts";
import { isScored, type Recording, type Segment, WINDOW_FRAMES, WINDOW_STRIDE } from "../data/recording.ts";
import type { SequenceStart } from "./batches.ts";

/** Draws the starts of one batch. */
export type Sampler = (count: number, random: Random) => SequenceStart[];

/** Published windows of the basic activities, moved by up to half a stride inside their segment; a share of them end in a transition instead. */
export function windowSampler(recordings: readonly Recording[], transitionShare: number): Sampler {
  const windows: { recording: Recording; start: number; from: number; to: number }[] = [];
  const transitions: { recording: Recording; from: number; to: number }[] = [];
  for (const recording of recordings)
    for (const { label, start, end } of recording.segments) {
      if (!isScored(recording, label)) {
        if (start >= WINDOW_FRAMES) transitions.push({ recording, from: start, to: end });
      } else
        for (let at = start; at + WINDOW_FRAMES <= end; at += WINDOW_STRIDE)
          windows.push({ recording, start: at, from: start, to: end - WINDOW_FRAMES });
    }
  return (count, random) => {
    if (windows.length === 0) throw tooShort(`no stretch of one activity of ${WINDOW_FRAMES} frames`);
    if (transitionShare > 0 && transitions.length === 0) throw tooShort(`no transition with ${WINDOW_FRAMES} frames before it`);
    return Array.from({ length: count }, () => {
      if (random.uniform() < transitionShare) {
        const { recording, from, to } = transitions[random.integer(transitions.length)]!;
        return { recording, start: from + random.integer(to - from) + 1 - WINDOW_FRAMES };
      }
      const { recording, start, from, to } = windows[random.integer(windows.length)]!;
      const moved = start + random.integer(WINDOW_STRIDE) - WINDOW_STRIDE / 2;
      return { recording, start: Math.max(from, Math.min(to, moved)) };
    });
  };
}

/**
 * Stretches of `patches` patches anywhere in any recording, each equally likely. A share of them is spliced of two stretches of one
 * recording at a moment of walking or standing: HAPT's protocol never lets anybody stand still after a walk, life does.
 */
export function cropSampler(
  recordings: readonly Recording[],
  shape: { readonly channels: number; readonly patchFrames: number; readonly patches: number; readonly spliceShare: number },
): Sampler {
  const { channels, patchFrames, patches } = shape;
  const frames = patches * patchFrames;
  const lengths = recordings.map((recording) => recording.frames.length / channels);
  const rooms = lengths.map((length) => Math.max(0, length - frames + 1));
  const total = rooms.reduce((sum, room) => sum + room, 0);
  return (count, random) => {
    if (total === 0) throw tooShort(`none of ${frames} frames`);
    return Array.from({ length: count }, () => {
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
