import { countText, table } from "../../core/system/table.ts";
import type { CsvFolder } from "../../data/csv/csv-folder.ts";
import { secondsText, type WindowChoice } from "./choose-windows.ts";
import { type CsvTraining, recordingsText } from "./csv-training.ts";
import { findLabelBouts } from "./label-bouts.ts";

/** What was understood of recordings, line by line: rate, channels, windows, labels and who does what. */
export function describeTraining({ training, cuts, counts }: CsvTraining, folder: CsvFolder, choice: WindowChoice): string[] {
  const { manifest, split } = training;
  const { rateHz } = folder;
  const total = folder.parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const bouts = findLabelBouts(folder);
  const labelled = bouts.reduce((sum, { frames }) => sum + frames, 0);
  const rows = counts.map(({ label, fit, calibrate, test }, c) => {
    const { frames, lengths, median, subjects } = bouts[c]!;
    const share = `${((100 * frames) / labelled).toFixed(1)} %`;
    return [label, secondsText(frames / rateHz), share, lengths.length, secondsText(median / rateHz), subjects, fit, calibrate, test];
  });
  const head = ["label", "time", "share", "bouts", "median", "subjects", "windows: learn", "calibrate", "test"];
  const empty = counts.filter(({ calibrate, test }) => calibrate === 0 || test === 0).map(({ label }) => label);
  const roles = (["fit", "select", "calibrate", "test"] as const).filter((role) => split[role].length > 0);
  return [
    `${recordingsText(training)}: ${secondsText(total / rateHz)} in all, ${secondsText((total - labelled) / rateHz)} without a label.`,
    ...folder.notes,
    `Channels: ${manifest.channels.map(({ name, unit }) => (unit === "" ? name : `${name}[${unit}]`)).join(", ")}.`,
    choice.why,
    ...table(head, rows),
    ...roles.map((role) => `${countText(split[role].length, "subject")} to ${role}: ${split[role].join(", ")}`),
    ...(empty.length > 0
      ? [
          `No window of ${empty.join(", ")} calibrates or tests: nothing can be said of these there. Record them from more people, or turn the roles with --fold 1.`,
        ]
      : []),
    ...cuts,
  ];
}
