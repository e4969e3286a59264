import { ConfigError } from "../../core/system/errors.ts";
import type { CsvFolder, CsvPart } from "./csv-folder.ts";

/** What is kept apart when recordings are divided into those that train and those that test: people, recordings, or stretches of time. */
export const groupings = ["subjects", "recordings", "time"] as const;
export type Grouping = (typeof groupings)[number];

/** Stretches that each recording is cut into by time. */
const stretches = 10;

/** Throws unless `text` names a grouping. */
export function readGrouping(text: string): Grouping {
  const found = groupings.find((one) => one === text);
  if (found !== undefined) return found;
  throw new ConfigError("GROUPING", `there is no grouping "${text}": choose one of ${groupings.join(", ")}.`);
}

/**
 * The folder with the groups as its subjects: recordings by their names, or stretches of time, the k-th of every recording together. Accuracy
 * across such groups is that of people who were recorded before, and not of others.
 */
export function regroup(folder: CsvFolder, grouping: Grouping): CsvFolder {
  switch (grouping) {
    case "subjects":
      return folder;
    case "recordings":
      return { ...folder, parts: folder.parts.map((part) => ({ ...part, subject: part.name.replace(/#\d+$/, "") })) };
    case "time":
      return { ...folder, parts: folder.parts.flatMap((part) => cut(part, folder.channels.length)) };
  }
}

function cut(part: CsvPart, channels: number): CsvPart[] {
  const n = part.labels.length;
  const edge = (k: number): number => Math.floor((k * n) / stretches);
  return Array.from({ length: stretches }, (_, k) => ({
    ...part,
    name: `${part.name}@t${k}`,
    subject: `t${k}`,
    labels: part.labels.slice(edge(k), edge(k + 1)),
    values: part.values.slice(edge(k) * channels, edge(k + 1) * channels),
  })).filter(({ labels }) => labels.length > 1);
}
