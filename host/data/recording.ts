import type { SubjectList } from "../core/image/image-types.ts";

/** Frames of a scored window, and from one window to the next: 2.56 s and 1.28 s at 50 Hz, as HAPT publishes them. */
export const WINDOW_FRAMES = 128;
export const WINDOW_STRIDE = 64;

/** Longest recording that training takes, in patches of 4 frames: 10.9 minutes at 50 Hz. Loaders cut longer ones. */
export const LONGEST_RECORDING_PATCHES = 8192;

/** A stretch of one label: frames start ≤ i < end. */
export interface Segment {
  readonly label: number;
  readonly start: number;
  readonly end: number;
}

/** One recording of one wearer. */
export interface Recording {
  readonly name: string; // unique in its dataset: "exp01_user01", a file's name
  readonly subject: string; // who wore it
  readonly channels: number;
  readonly frames: Int16Array; // (n, channels) in counts
  readonly labels: Uint8Array; // (n,) the dataset's own labels; 0 = none
  readonly segments: readonly Segment[];
  /** Labels 1…scoredLabels are what windows are scored on; those above are between two of them. Default: every label is scored. */
  readonly scoredLabels?: number;
  /** Frames of a window of this recording. Default: WINDOW_FRAMES. */
  readonly windowFrames?: number;
  /** The windows of this recording, by a rule of its own (window-rule.ts). Default: those that lie whole within a segment. */
  readonly windows?: readonly Window[];
  /** Stretches of one label as they were recorded, where a rule has made other labels of them. */
  readonly bouts?: readonly Segment[];
}

export interface Dataset {
  readonly recordings: readonly Recording[];
}

/** Frames start ≤ i < start + the recording's window of one label. */
export interface Window {
  readonly start: number;
  readonly label: number;
}

/** Frames of a window of a recording. */
export function countWindowFrames({ windowFrames = WINDOW_FRAMES }: Pick<Recording, "windowFrames">): number {
  return windowFrames;
}

/** A recording's own windows, or those of 128 frames, stride 64, from each labelled segment's first frame; only whole ones (HAPT: 10,929 in all). */
export function publishedWindows(recording: Recording): readonly Window[] {
  if (recording.windows) return recording.windows;
  const frames = countWindowFrames(recording);
  const windows: Window[] = [];
  for (const segment of recording.segments)
    for (let start = segment.start; start + frames <= segment.end; start += frames / 2) windows.push({ start, label: segment.label });
  return windows;
}

/** The published windows that an evaluation scores. */
export function scoredWindows(recording: Recording): Window[] {
  return publishedWindows(recording).filter(({ label }) => isScored(recording, label));
}

/** The published windows of some recordings that an evaluation scores. */
export function countScoredWindows(recordings: readonly Recording[]): number {
  return recordings.reduce((sum, recording) => sum + scoredWindows(recording).length, 0);
}

/** True where windows of this label are scored. */
export function isScored({ scoredLabels = Number.POSITIVE_INFINITY }: Recording, label: number): boolean {
  return label > 0 && label <= scoredLabels;
}

/** Classes 0…count − 1 are the scored ones of these recordings, of `nClasses` in all. */
export function scoredClassCount(recordings: readonly Recording[], nClasses: number): number {
  return Math.min(nClasses, recordings.reduce((most, { scoredLabels = nClasses }) => Math.max(most, scoredLabels), 0) || nClasses);
}

/** The recordings of some wearers. Numbers and strings name the same wearer: 2 is "2". */
export function selectRecordings<R extends Recording>(dataset: { readonly recordings: readonly R[] }, subjects: SubjectList): R[] {
  const names = new Set(subjects.map(String));
  return dataset.recordings.filter(({ subject }) => names.has(subject));
}

/** Index of the last patch of a recording that ends within the window of `frames` frames starting at frame `start`. */
export function streamPatch(start: number, patchFrames: number, frames = WINDOW_FRAMES): number {
  return Math.floor((start + frames) / patchFrames) - 1;
}

/** The recording from its first labelled frame to its last: before and after, the sensor is in somebody's hands. */
export function labelledSpan<R extends Recording>(recording: R): R {
  const { frames, labels, segments, channels } = recording;
  const start = segments.reduce((least, segment) => Math.min(least, segment.start), labels.length);
  const end = segments.reduce((most, segment) => Math.max(most, segment.end), start);
  return {
    ...recording,
    frames: frames.subarray(start * channels, end * channels),
    labels: labels.subarray(start, end),
    segments: segments.map((segment) => ({ ...segment, start: segment.start - start, end: segment.end - start })),
  };
}

/** A recording, maybe with frames that never arrived. */
export interface SensedRecording extends Recording {
  readonly lost?: Uint8Array; // (n,) 1 = the frame is lost
}
