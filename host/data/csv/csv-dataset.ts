import type { Manifest } from "../../core/image/image-types.ts";
import { DataError } from "../../core/system/errors.ts";
import { findSegments } from "../find-segments.ts";
import { type Dataset, LONGEST_RECORDING_PATCHES, type Recording } from "../recording.ts";
import { readLabelRule, type WindowRule, withWindows } from "../window-rule.ts";
import { type CsvFolder, type CsvPart, readCsvFolder } from "./csv-folder.ts";
import { readGrouping, regroup } from "./regroup.ts";

/** Frames of the longest recording: longer ones are cut. */
const longestFrames = 4 * LONGEST_RECORDING_PATCHES;

/** How a folder's units and words become counts and labels: label i + 1 is labels[i]. */
export type CsvScale = Pick<Manifest, "channels" | "labels">;

/** Reads CSV recordings as the agent with this manifest takes them: its rate, its channels by name, its counts, its labels. Throws DataError. */
export function loadCsv(path: string, manifest: Pick<Manifest, "channels" | "labels" | "frameRateHz" | "name" | "windows">): Dataset {
  const { windows } = manifest;
  const recorded = readCsvFolder(path, { rateHz: manifest.frameRateHz, channels: manifest.channels });
  const folder = windows?.grouping === undefined ? recorded : regroup(recorded, readGrouping(windows.grouping));
  const unknown = folder.labels.find((label) => !manifest.labels.includes(label));
  if (unknown !== undefined)
    throw new DataError(
      "CSV_LABEL",
      `${path} has the label "${unknown}", model ${manifest.name} knows ${manifest.labels.join(", ")}. Empty the label where it is none of these, or train anew.`,
    );
  const dataset = csvDataset(folder, manifest);
  return windows === undefined ? dataset : applyWindows(dataset, { ...windows, rule: readLabelRule(windows.rule) }, manifest.labels);
}

/** The recordings with the windows of a rule. */
export function applyWindows({ recordings }: Dataset, rule: WindowRule, labels: readonly string[]): Dataset {
  const background = rule.background === undefined ? undefined : labels.indexOf(rule.background) + 1;
  return { recordings: recordings.map((recording) => withWindows(recording, rule, background)) };
}

/** int16 counts and numbered labels of a folder whose channels are in the scale's order. */
export function csvDataset(folder: CsvFolder, scale: CsvScale): Dataset {
  const numbers = new Map(scale.labels.map((label, i) => [label, i + 1]));
  return { recordings: folder.parts.flatMap((part) => recordingsOfPart(part, scale, numbers)) };
}

function recordingsOfPart(part: CsvPart, { channels }: CsvScale, numbers: ReadonlyMap<string, number>): Recording[] {
  const c = channels.length;
  const n = part.labels.length;
  const frames = Int16Array.from(part.values, (value, i) =>
    Math.max(-32768, Math.min(32767, Math.floor(value * channels[i % c]!.countsPerUnit + 0.5))),
  );
  const labels = Uint8Array.from(part.labels, (label) => (label === undefined ? 0 : numbers.get(label)!));
  return Array.from({ length: Math.ceil(n / longestFrames) }, (_, k) => {
    const [from, to] = [k * longestFrames, Math.min(n, (k + 1) * longestFrames)];
    const own = labels.slice(from, to);
    return {
      name: k === 0 ? part.name : `${part.name}@${k + 1}`,
      subject: part.subject,
      channels: c,
      frames: frames.slice(from * c, to * c),
      labels: own,
      segments: findSegments(own),
    };
  });
}
