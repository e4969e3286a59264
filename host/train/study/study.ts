import type { Dataset } from "../../agent/recording.ts";
import { ConfigError } from "../../core/errors.ts";
import type { AgentTraining } from "../training.ts";

export const studyNames = ["augmentation", "distillation", "quantisation", "search"] as const;
export type StudyName = (typeof studyNames)[number];

/** What one row of a table measured with one seed. */
export interface Measured {
  readonly row: string;
  readonly seed: number;
  readonly values: Readonly<Record<string, number>>;
}

/** What a study is made on and how large it is. */
export interface StudyPlan {
  readonly training: AgentTraining;
  readonly dataset: Dataset;
  readonly outDir: string;
  readonly seeds: readonly number[];
  readonly steps: number; // of each training
  readonly trials: number; // of a search
}

/** Says how far a part is, and ends it. */
export interface PartWatch {
  readonly onStep?: (step: number, steps: number) => void;
  readonly signal?: AbortSignal;
}

/** A table of trainings. It is made of parts, each computed once, in any process; the table needs all of them. */
export interface Study {
  readonly name: StudyName;
  readonly plan: StudyPlan;
  /** Parts that can be computed at once, given those that are done; none: the study is complete. */
  next(done: ReadonlyMap<string, readonly Measured[]>): readonly string[];
  /** Parts in all. */
  size(): number;
  compute(part: string, watch: PartWatch): Promise<readonly Measured[]>;
  report(done: ReadonlyMap<string, readonly Measured[]>): StudyReport;
}

/** study.json, and what its page shows. */
export interface StudyReport {
  readonly study: StudyName;
  readonly title: string;
  readonly agent: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly wearers: { readonly train: readonly string[]; readonly heldOut: readonly string[] };
  readonly conclusion: string; // what the table says, and what it does not
  readonly notes: readonly string[]; // how it was measured
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[]; // the table's cells
  readonly measured: readonly Measured[];
  readonly figure: { readonly title: string; readonly caption: string; readonly svg: string };
}

/** A part a row and seed, by the part's name: "no-rotation.seed-1". */
export function rowParts<Row extends string>(
  rows: readonly Row[],
  seeds: readonly number[],
): ReadonlyMap<string, { readonly row: Row; readonly seed: number }> {
  const nameOf = (row: string): string => row.replaceAll(/[^a-z0-9.]+/g, "-");
  return new Map(seeds.flatMap((seed) => rows.map((row) => [`${nameOf(row)}.seed-${seed}`, { row, seed }] as const)));
}

export function unknownPart(study: StudyName, part: string): ConfigError {
  return new ConfigError("STUDY_PART", `the ${study} study has no part "${part}".`);
}

/** The parts of a report that follow from the plan. */
export function reportHead({ training, steps, seeds }: StudyPlan): Pick<StudyReport, "agent" | "steps" | "seeds" | "wearers"> {
  return { agent: training.name, steps, seeds, wearers: { train: training.split.fit, heldOut: training.split.select } };
}
