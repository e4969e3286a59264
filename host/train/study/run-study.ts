import { join } from "node:path";
import { makeFolders } from "../../core/folder.ts";
import { writeWhole } from "../../core/private-file.ts";
import { studyPage } from "./page.ts";
import { type FinishedPart, partFiles } from "./part-files.ts";
import type { Measured, PartWatch, Study, StudyReport } from "./study.ts";

export interface StudyRun {
  /** Computes parts that do not need each other, and leaves each in its file. */
  readonly computeAll: (parts: readonly string[]) => Promise<void>;
  /** For every part that an earlier run had finished. */
  readonly onKnown?: (part: string) => void;
}

/** Files of a finished study. */
export const studyFiles = { report: "study.json", page: "study.html" } as const;

/** Computes every part that is not there yet, then writes study.json and study.html. */
export async function runStudy(study: Study, { computeAll, onKnown }: StudyRun): Promise<StudyReport> {
  const files = partFiles(study);
  const done = new Map<string, readonly Measured[]>();
  const take = (part: string): boolean => {
    const finished = files.read(part);
    if (finished) done.set(part, finished.measured);
    return finished !== undefined;
  };
  for (let parts = study.next(done); parts.length > 0; parts = study.next(done)) {
    const missing = parts.filter((part) => !take(part));
    for (const part of parts) if (done.has(part)) onKnown?.(part);
    if (missing.length > 0) await computeAll(missing);
    for (const part of missing) take(part);
  }
  const report = study.report(done);
  makeFolders(study.plan.outDir);
  writeWhole(join(study.plan.outDir, studyFiles.report), `${JSON.stringify(withoutFigure(report), undefined, 1)}\n`);
  writeWhole(join(study.plan.outDir, studyFiles.page), studyPage(report));
  return report;
}

/** Computes one part into its file, unless it is there. */
export async function computePart(study: Study, part: string, watch: PartWatch, now: () => number): Promise<FinishedPart> {
  const files = partFiles(study);
  const known = files.read(part);
  if (known) return known;
  const began = now();
  const measured = await study.compute(part, watch);
  const finished = { measured, seconds: Math.round((now() - began) / 100) / 10 };
  files.write(part, finished);
  return finished;
}

/** A report as JSON: the picture stays on the page. */
export function withoutFigure({ figure: _, ...report }: StudyReport): Omit<StudyReport, "figure"> {
  return report;
}
