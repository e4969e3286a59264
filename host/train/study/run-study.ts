import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ConfigError, DataError } from "../../core/system/errors.ts";
import { makeFolders } from "../../core/system/folder.ts";
import { writeWhole } from "../../core/system/private-file.ts";
import { selectRecordings } from "../../data/recording.ts";
import { computeFingerprint } from "../fingerprint.ts";
import { distillation } from "./distillation.ts";
import { studyPage } from "./page.ts";
import { quantisation } from "./quantisation.ts";
import { search } from "./search.ts";
import { shortRecipe } from "./short-training.ts";
import type { Measured, PartWatch, Study, StudyName, StudyPlan, StudyReport, StudySpec } from "./study.ts";

const specs: Readonly<Record<StudyName, StudySpec>> = { distillation, quantisation, search };

export function openStudy(name: StudyName, plan: StudyPlan): Study {
  return { name, spec: specs[name], plan };
}

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
  const { spec, plan } = study;
  const files = partFiles(study);
  const done = new Map<string, readonly Measured[]>();
  const take = (part: string): boolean => {
    const finished = files.read(part);
    if (finished) done.set(part, finished.measured);
    return finished !== undefined;
  };
  for (const parts of spec.rounds(plan, done)) {
    const missing = parts.filter((part) => !take(part));
    for (const part of parts) if (done.has(part)) onKnown?.(part);
    if (missing.length > 0) await computeAll(missing);
    for (const part of missing) take(part);
  }
  const report = buildReport(study, [...done.values()].flat());
  makeFolders(plan.outDir);
  writeWhole(join(plan.outDir, studyFiles.report), `${JSON.stringify(withoutFigure(report), undefined, 1)}\n`);
  writeWhole(join(plan.outDir, studyFiles.page), studyPage(report));
  return report;
}

/** Computes one part into its file, unless it is there. */
export async function computePart(study: Study, part: string, watch: PartWatch, now: () => number): Promise<FinishedPart> {
  const files = partFiles(study);
  const known = files.read(part);
  if (known) return known;
  const began = now();
  const measured = await study.spec.compute(study.plan, part, watch);
  const finished = { measured, seconds: Math.round((now() - began) / 100) / 10 };
  files.write(part, finished);
  return finished;
}

/** A study's summary of its measurements. */
export function buildReport({ name, spec, plan }: Study, measured: readonly Measured[]): StudyReport {
  const { training, steps, seeds } = plan;
  const { conclusion, columns, rows, notes, figure } = spec.report(plan, measured);
  const wearers = { train: training.split.fit, heldOut: training.split.select };
  return {
    ...{ study: name, title: spec.title, agent: training.name, steps, seeds, wearers },
    ...{ conclusion, columns, rows, notes, measured, figure },
  };
}

/** A report as JSON: the picture stays on the page. */
export function withoutFigure({ figure: _, ...report }: StudyReport): Omit<StudyReport, "figure"> {
  return report;
}

const measuredSchema = z.strictObject({ row: z.string(), seed: z.int(), values: z.record(z.string(), z.number()) });
const partSchema = z.strictObject({ settings: z.string(), seconds: z.number().nonnegative(), measured: z.array(measuredSchema) });

/** A part that was computed, and how long it took. */
export interface FinishedPart {
  readonly measured: readonly Measured[];
  readonly seconds: number;
}

/** The folder of a study's finished parts, a file each. */
export function partFiles(study: Study) {
  const { outDir } = study.plan;
  const settings = settingsOf(study);
  const pathOf = (part: string): string => join(outDir, "parts", `${part}.json`);
  return {
    /** Undefined: not computed yet. Throws STUDY_OTHER or BAD_STUDY_PART. */
    read(part: string): FinishedPart | undefined {
      const path = pathOf(part);
      if (!existsSync(path)) return undefined;
      const parsed = parsePart(path);
      if (parsed.settings === settings) return parsed;
      throw new ConfigError(
        "STUDY_OTHER",
        `${path} was computed with other recordings, another recipe or other --steps. Give the same ones to go on, --fresh to start anew, or another --out.`,
      );
    },
    write(part: string, finished: FinishedPart): void {
      makeFolders(dirname(pathOf(part)));
      writeWhole(pathOf(part), `${JSON.stringify({ settings, ...finished }, undefined, 1)}\n`);
    },
    /** Forgets every part, and the ensemble beside them. */
    clear(): void {
      for (const folder of ["parts", "ensemble"]) rmSync(join(outDir, folder), { recursive: true, force: true });
    },
  };
}

function parsePart(path: string): z.infer<typeof partSchema> {
  try {
    return partSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new DataError("BAD_STUDY_PART", `${path} is no finished part of a study. Delete it: the same command computes it again.`, {
      cause,
    });
  }
}

/** Hash of all that decides a part's result, but for its name. */
function settingsOf({ name, plan: { training, dataset, steps } }: Study): string {
  const { config, features, classOf, split } = training;
  const { fit, select, calibrate } = split;
  const fingerprint = computeFingerprint({
    ...{ config, features, classOf, seed: 0 },
    recipe: shortRecipe(training.recipe, steps),
    recordings: selectRecordings(dataset, [...fit, ...select, ...calibrate]),
  });
  const members = training.ensemble?.members.map((member) => [member.name, member.seed, member.training.recipe]);
  return createHash("sha256")
    .update(JSON.stringify([name, fingerprint, fit, select, calibrate, training.ensemble?.distillation, members]))
    .digest("hex")
    .slice(0, 16);
}
