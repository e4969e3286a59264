import { Option } from "commander";
import { type StudyName, studyNames } from "../../train/study/study.ts";
import { wholeNumber } from "../options.ts";

/** What `train --study` adds to the command line. */
export interface StudyOptions {
  readonly study?: StudyName;
  readonly trials?: number;
  readonly part?: string;
}

/** Sizes meant for 10, 20, 6 and 10 minutes on two cores, at 0.12 s a step and a quarter of a minute a training for compiling and scoring. */
export const studyDefaults = {
  augmentation: { steps: 400, seeds: 2, trials: 0 },
  distillation: { steps: 400, seeds: 5, trials: 0 },
  quantisation: { steps: 400, seeds: 5, trials: 0 },
  search: { steps: 250, seeds: 1, trials: 32 },
} as const satisfies Record<StudyName, { steps: number; seeds: number; trials: number }>;

export const studyOption = (): Option =>
  new Option(
    "--study <name>",
    "compare augmentations, targets, number formats or shapes by short trainings, on the select wearers (default --out: runs/studies/<name>)",
  ).choices(studyNames);

export const trialsOption = (): Option =>
  new Option("--trials <n>", `with --study search: shapes that are tried (default: ${studyDefaults.search.trials})`).argParser(
    wholeNumber(1, 400),
  );

/** How a study's processes are told what to compute. */
export const partOption = (): Option => new Option("--part <name>", "with --study: compute this part alone").hideHelp();
