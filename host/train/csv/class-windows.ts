import { DataError } from "../../core/system/errors.ts";
import { applyWindows, csvDataset } from "../../data/csv/csv-dataset.ts";
import type { CsvFolder } from "../../data/csv/csv-folder.ts";
import { type Grouping, groupings, regroup } from "../../data/csv/regroup.ts";
import { type Dataset, publishedWindows, selectRecordings } from "../../data/recording.ts";
import { type Split, splitSubjects } from "../../data/split-subjects.ts";
import { labelRules, type WindowRule } from "../../data/window-rule.ts";

import { secondsText } from "./choose-windows.ts";
import { findLabelBouts } from "./label-bouts.ts";

/** Windows of a label, by what their subjects do. */
export interface WindowCounts {
  readonly label: string;
  readonly fit: number; // fit and select: what the agent is trained on
  readonly calibrate: number;
  readonly test: number;
}

export function countWindows(dataset: Dataset, labels: readonly string[], split: Split): WindowCounts[] {
  const tally = (subjects: readonly string[]): number[] => {
    const counts = labels.map(() => 0);
    for (const recording of selectRecordings(dataset, subjects)) for (const { label } of publishedWindows(recording)) counts[label - 1]!++;
    return counts;
  };
  const [fit, calibrate, test] = [tally([...split.fit, ...split.select]), tally(split.calibrate), tally(split.test)];
  return labels.map((label, c) => ({ label, fit: fit[c]!, calibrate: calibrate[c]!, test: test[c]! }));
}

interface Choices {
  readonly windows: WindowRule;
  readonly grouping?: Grouping;
  readonly fold?: number;
}

/** Throws CSV_CLASS where a label has no window that the agent could learn from, with a choice of options under which each has one. */
export function checkClasses(folder: CsvFolder, counts: readonly WindowCounts[], choices: Choices): void {
  const missing = counts.find(({ fit }) => fit === 0);
  if (missing === undefined) return;
  const { label } = missing;
  const { windows } = choices;
  const isElsewhere = missing.calibrate + missing.test > 0;
  const found = isElsewhere
    ? `no window of the label "${label}" is in the recordings of those that the agent learns from`
    : `the label "${label}" has no window of ${windows.frames} frames by the rule ${windows.rule}`;
  throw new DataError(
    "CSV_CLASS",
    `${found}. ${findFix(folder, choices) ?? `Record more of "${label}", from more people, or empty that label.`}`,
  );
}

/** The first change of options under which every label has windows to learn from. */
function findFix(folder: CsvFolder, choices: Choices): string | undefined {
  const holds = (changed: Partial<Choices>): boolean => {
    const { windows, grouping = "subjects", fold = 0 } = { ...choices, ...changed };
    const grouped = regroup(folder, grouping);
    const subjects = [...new Set(grouped.parts.map(({ subject }) => subject))];
    if (subjects.length < 3) return false;
    const scale = { labels: grouped.labels, channels: grouped.channels.map((channel) => ({ ...channel, countsPerUnit: 0 })) };
    const counts = countWindows(
      applyWindows(csvDataset(grouped, scale), windows, grouped.labels),
      grouped.labels,
      splitSubjects(subjects, fold),
    );
    return counts.every(({ fit }) => fit > 0);
  };
  for (const rule of labelRules) {
    const background = choices.windows.background ?? longestLabel(folder);
    if (holds({ windows: { rule, frames: choices.windows.frames, ...(rule === "any>20%" && { background }) } }))
      return `Choose --label-rule "${rule}": then every label has windows.`;
  }
  const shortest = findLabelBouts(folder).reduce((least, bout) => (bout.median < least.median ? bout : least));
  if (2 * shortest.median < choices.windows.frames)
    return `Choose a shorter --window: bouts of "${shortest.label}" last ${secondsText(shortest.median / folder.rateHz)}.`;
  const subjects = new Set(regroup(folder, choices.grouping ?? "subjects").parts.map(({ subject }) => subject)).size;
  for (let fold = 1; fold < subjects; fold++)
    if (holds({ fold })) return `Choose --fold ${fold}: then others test, and every label is learned from somebody.`;
  for (const grouping of groupings)
    if (holds({ grouping }))
      return `Record it from more people. Until then choose --split ${grouping}: every label is then learned, and the accuracy is these people's.`;
  return undefined;
}

function longestLabel({ labels, parts }: CsvFolder): string {
  const counts = new Map(labels.map((label) => [label, 0]));
  for (const part of parts) for (const label of part.labels) if (label !== undefined) counts.set(label, counts.get(label)! + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}
