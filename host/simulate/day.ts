import type { SensorFrame } from "../agent/sensors/sensor.ts";
import { DataError } from "../core/system/errors.ts";
import { createRandom } from "../core/system/random.ts";
import { isScored, type Recording, WINDOW_STRIDE } from "../data/recording.ts";
import { createSyntheticWearer, type SyntheticParameters, type SyntheticStretch } from "../data/synthetic.ts";
import { FALL_CYCLE } from "../data/synthetic-falls.ts";

/** A stretch of a day: one label, or whole recordings. */
export interface DayStretch {
  readonly label: string | undefined; // undefined: whole recordings
  readonly seconds: number;
}

/** A day at a desk, from midnight on, minutes: 9.7 h lying, 9.5 h sitting, 1.1 h standing, 1.2 h on foot, 2.6 h of everything. */
const WEEKDAY: readonly (readonly [label: string | undefined, minutes: number])[] = [
  ["laying", 420],
  [undefined, 45],
  ["walking", 25],
  ["sitting", 100],
  ["walking", 5],
  ["sitting", 60],
  [undefined, 20],
  ["standing", 15],
  ["sitting", 90],
  ["upstairs", 2],
  ["walking", 8],
  ["sitting", 110],
  ["standing", 20],
  ["walking", 25],
  [undefined, 60],
  ["downstairs", 2],
  ["standing", 30],
  ["sitting", 120],
  [undefined, 30],
  ["sitting", 90],
  ["laying", 163],
];
/** Longest part; longer stretches are split over the wearers in turn. */
const PART_SECONDS = 600;
/** Ticks between two parts; the gap resets the model's state for the next wearer. */
const PART_GAP_TICKS = 1000;

/** The weekday schedule, if its labels are the model's; else whole recordings. */
export function daySchedule(labels: readonly string[], hours: number): DayStretch[] {
  const isKnown = WEEKDAY.every(([label]) => label === undefined || labels.includes(label));
  const parts: DayStretch[] = [];
  let left = hours * 3600;
  for (let i = 0; left > 0; i++) {
    const [label, minutes] = isKnown ? WEEKDAY[i % WEEKDAY.length]! : [undefined, 60];
    for (let stretch = Math.min(minutes * 60, left); stretch > 0; ) {
      const seconds = Math.min(stretch, PART_SECONDS);
      parts.push({ label, seconds });
      stretch -= seconds;
      left -= seconds;
    }
  }
  return parts;
}

/** Frames and the true label of each. */
interface Piece {
  readonly frames: Int16Array; // (n, channels)
  readonly truth: (i: number) => string | undefined;
  readonly lost: Uint8Array | undefined; // (n,) 1 = the frame is lost
  readonly length: number;
}

/** Frames of a day, lazily, the same for the same arguments. Ticks jump between two wearers. */
export interface Day {
  readonly frames: () => Iterable<SensorFrame>;
  readonly seconds: number;
  readonly wearers: readonly string[];
  readonly source: string;
  /** The wearer at a tick; fast for ascending ticks. */
  readonly wearerOf: (tick: number) => string;
}

/** A recording, with a mask of lost frames if any. */
type SensedRecording = Recording & { readonly lost?: Uint8Array };

export interface RecordedDayOptions {
  readonly recordings: readonly SensedRecording[];
  readonly labels: readonly string[];
  readonly hours: number;
  readonly rateHz: number;
  readonly seed: number;
  /** Recordings are trials of their own: a gap after each resets the model's state. Default false. */
  readonly isApart?: boolean;
}

/**
 * Recordings looped into the day's schedule. Parts go to the wearers in turn. Within a part, the wearer's segments of the label follow
 * one another in a seeded order, then repeat. Segments are cut to whole hops. Throws DAY_NO_RECORDINGS.
 */
export function recordedDay({ recordings, labels, hours, rateHz, seed, isApart = false }: RecordedDayOptions): Day {
  const wearers = [...new Set(recordings.map(({ subject }) => subject))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (wearers.length === 0) throw new DataError("DAY_NO_RECORDINGS", "no recordings to build the day from. Give a folder that holds some.");
  const schedule = daySchedule(labels, hours);
  const pieces = new Map<string, readonly Piece[]>();
  const piecesOf = (wearer: string, label: string | undefined): readonly Piece[] => {
    const key = `${wearer} ${label ?? ""}`;
    let found = pieces.get(key);
    if (found === undefined) {
      const own = recordings.filter(({ subject }) => subject === wearer);
      const cut =
        label === undefined
          ? own.map((one) => pieceOf(one, labels, 0, one.labels.length))
          : own.flatMap((one) => segmentsOf(one, labels, label));
      found = cut.filter(({ length }) => length > 0);
      pieces.set(key, found);
    }
    return found;
  };
  /** The next wearer with segments of the label; if none has any, whole recordings. */
  const dealt = schedule.map(({ label, seconds }, turn) => {
    const own = [label, undefined].flatMap((wanted) =>
      wearers.map((_, i) => wearers[(turn + i) % wearers.length]!).map((wearer) => ({ wearer, pieces: piecesOf(wearer, wanted) })),
    );
    return { ...own.find(({ pieces: some }) => some.length > 0)!, frames: Math.round(seconds * rateHz) };
  });
  if (dealt.some(({ pieces: some }) => some === undefined))
    throw new DataError("DAY_NO_RECORDINGS", "the recordings hold no frames. Give longer ones.");
  function* frames(): Generator<SensorFrame> {
    const random = createRandom(seed);
    let tick = 0;
    for (const { pieces: own, frames: count } of dealt) {
      let left = count;
      for (let at = random.integer(own.length); left > 0; at++) {
        const piece = own[at % own.length]!;
        const channels = piece.frames.length / piece.length;
        const length = Math.min(left, piece.length);
        for (let i = 0; i < length; i++, tick++) {
          if (piece.lost?.[i]) continue;
          yield { tick: tick >>> 0, frame: piece.frames.subarray(i * channels, (i + 1) * channels), truth: piece.truth(i) };
        }
        left -= length;
        const gap = isApart ? Math.min(left, 2 * rateHz) : 0;
        tick += gap;
        left -= gap;
      }
      tick += PART_GAP_TICKS;
    }
  }
  return { frames, seconds: hours * 3600, wearers, source: "recordings", wearerOf: wearerReader(dealt) };
}

/**
 * Synthetic wearers in the same schedule; for whole recordings they change activities at random. Wearers who fall do so once in each of
 * those parts (16 in 24 h), and sit and lie down in all ways in the rest of it.
 */
export function syntheticDay(options: { parameters: SyntheticParameters; labels: readonly string[]; hours: number; seed: number }): Day {
  const { parameters, labels, hours, seed } = options;
  const schedule = daySchedule(parameters.falls === undefined ? labels : Object.keys(parameters.wearers[0] ?? {}), hours);
  const has = (label: string | undefined): boolean =>
    label !== undefined && parameters.wearers.every((wearer) => wearer[label] !== undefined);
  function* frames(): Generator<SensorFrame> {
    let tick = 0;
    for (const [turn, { label, seconds }] of schedule.entries()) {
      const one = has(label) ? { schedule: [{ label: label!, seconds }] } : parameters.falls ? { schedule: fallSchedule(seconds) } : {};
      const wearer = createSyntheticWearer({ parameters, seed: seed + turn, ...one });
      for (let i = 0; i < Math.round(seconds * parameters.frameRateHz); i++) {
        const { frame, label: truth } = wearer.next();
        yield { tick: tick++ >>> 0, frame, truth };
      }
      tick += PART_GAP_TICKS;
    }
  }
  return { frames, seconds: hours * 3600, wearers: ["synthetic"], source: "synthetic", wearerOf: () => "synthetic" };
}

/** FALL_CYCLE for so long; after the first, the wearer stands still where they would fall. */
function fallSchedule(seconds: number): SyntheticStretch[] {
  const cycleSeconds = FALL_CYCLE.reduce((sum, stretch) => sum + stretch.seconds, 0);
  const rest = FALL_CYCLE.map((stretch) => (stretch.arrival === "fall" ? { label: "standing", seconds: stretch.seconds } : stretch));
  return [...FALL_CYCLE, ...Array.from({ length: Math.ceil(seconds / cycleSeconds) }, () => rest).flat()];
}

function wearerReader(parts: readonly { readonly wearer: string; readonly frames: number }[]): Day["wearerOf"] {
  let part = 0;
  let first = 0;
  return (tick) => {
    if (tick < first) {
      part = 0;
      first = 0;
    }
    while (part + 1 < parts.length && tick >= first + parts[part]!.frames) first += parts[part++]!.frames + PART_GAP_TICKS;
    return parts[part]!.wearer;
  };
}

function segmentsOf(recording: SensedRecording, labels: readonly string[], label: string): Piece[] {
  return recording.segments
    .filter((segment) => labels[segment.label - 1] === label && isScored(recording, segment.label))
    .map(({ start, end }) => pieceOf(recording, labels, start, start + Math.floor((end - start) / WINDOW_STRIDE) * WINDOW_STRIDE));
}

function pieceOf(recording: SensedRecording, labels: readonly string[], start: number, end: number): Piece {
  const { channels } = recording;
  const between = labels.includes("transition") ? "transition" : undefined;
  const truth = (i: number): string | undefined => {
    const label = recording.labels[start + i]!;
    return label === 0 ? undefined : isScored(recording, label) ? labels[label - 1] : between;
  };
  const lost = recording.lost?.subarray(start, end);
  return { frames: recording.frames.subarray(start * channels, end * channels), truth, lost, length: end - start };
}
