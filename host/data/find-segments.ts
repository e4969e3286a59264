import type { Segment } from "./recording.ts";

/** Stretches of one label, unlabelled ones left out. */
export function findSegments(labels: Uint8Array): Segment[] {
  const segments: Segment[] = [];
  for (let start = 0; start < labels.length; ) {
    let end = start + 1;
    while (end < labels.length && labels[end] === labels[start]) end++;
    if (labels[start]! > 0) segments.push({ label: labels[start]!, start, end });
    start = end;
  }
  return segments;
}
