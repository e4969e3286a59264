import { pageHtml } from "../../page/page.ts";
import type { StudyReport } from "./study.ts";

/** study.html: the conclusion, the table and the figure of a study. */
export function studyPage({ title, agent, steps, seeds, wearers, conclusion, notes, columns, rows, figure }: StudyReport): string {
  const drawing = { title: figure.title, caption: figure.caption, drawing: figure.svg, isWide: true };
  return pageHtml({
    title,
    subtitle: agent,
    sentences: [conclusion],
    remarks: [
      `${seeds.length === 1 ? `Seed ${seeds[0]}` : `Mean ± deviation over seeds ${seeds.join(" ")}`}, ${steps} steps per training.`,
    ],
    tables: [{ head: columns, rows }],
    figures: [drawing],
    notes: [
      ...notes,
      `Trained on wearers ${wearers.train.join(" ")}; scored on ${wearers.heldOut.join(" ")}. The test wearers are in neither.`,
    ],
  });
}
