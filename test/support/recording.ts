import type { Recording } from "../../host/data/recording.ts";
import { createSyntheticWearer, type SyntheticParameters } from "../../host/data/synthetic.ts";

/** A recording of the synthetic wearer: every activity in turn, labelled by its place in `labels` from 1 on; what is not there gets 0. */
export function syntheticRecording(
  parameters: SyntheticParameters,
  labels: readonly string[],
  options: { readonly seed: number; readonly frames: number; readonly subject?: string },
): Recording {
  const { seed, frames: count, subject = "synthetic" } = options;
  const schedule = labels.map((label) => ({ label, seconds: 8 }));
  const wearer = createSyntheticWearer({ parameters, seed, schedule });
  const frames = new Int16Array(count * 6);
  const numbers = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const { frame, label } = wearer.next();
    frames.set(frame, i * 6);
    numbers[i] = labels.indexOf(label) + 1;
  }
  const segments: { label: number; start: number; end: number }[] = [];
  for (let start = 0, end = 1; start < count; start = end) {
    for (end = start + 1; end < count && numbers[end] === numbers[start]; ) end++;
    if (numbers[start] !== 0) segments.push({ label: numbers[start]!, start, end });
  }
  return { name: `synthetic-${seed}`, subject, channels: 6, frames, labels: numbers, segments, scoredLabels: labels.length };
}
