import type { CsvFolder } from "../../data/csv/csv-folder.ts";

/** How long a label lasts in a folder of recordings. */
export interface LabelBouts {
  readonly label: string;
  readonly frames: number; // in all
  readonly lengths: readonly number[]; // of its bouts, frames, ascending
  readonly median: number;
  readonly subjects: number; // who have it
}

/** Bouts of every label, in the folder's order of labels: stretches of one label without a gap. */
export function findLabelBouts({ labels, parts }: Pick<CsvFolder, "labels" | "parts">): LabelBouts[] {
  const lengths = new Map(labels.map((label) => [label, [] as number[]]));
  const subjects = new Map(labels.map((label) => [label, new Set<string>()]));
  for (const part of parts)
    for (let start = 0; start < part.labels.length; ) {
      const label = part.labels[start];
      let end = start + 1;
      while (end < part.labels.length && part.labels[end] === label) end++;
      if (label !== undefined) {
        lengths.get(label)!.push(end - start);
        subjects.get(label)!.add(part.subject);
      }
      start = end;
    }
  return labels.map((label) => {
    const own = lengths.get(label)!.sort((a, b) => a - b);
    return {
      label,
      frames: own.reduce((sum, length) => sum + length, 0),
      lengths: own,
      median: own[own.length >> 1] ?? 0,
      subjects: subjects.get(label)!.size,
    };
  });
}
