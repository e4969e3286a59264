import type { Dataset } from "../../data/recording.ts";
import type { AgentTraining } from "../training.ts";

/** Every study, with its usual size: about 20, 6 and 10 minutes on two cores. */
export const studySizes = {
  distillation: { steps: 400, seeds: 5, trials: 0 },
  quantisation: { steps: 400, seeds: 5, trials: 0 },
  search: { steps: 250, seeds: 1, trials: 32 },
} as const;
export type StudyName = keyof typeof studySizes;

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

/** What has been measured, by the part's name. */
export type Results = ReadonlyMap<string, readonly Measured[]>;

/** What one study does. The runner computes its parts, each once and in any process, then writes its report. */
export interface StudySpec {
  readonly title: string;
  /** Parts in all. */
  size(plan: StudyPlan): number;
  /** Lists of parts that do not need each other. A list is asked for once `done` holds every part of those before. */
  rounds(plan: StudyPlan, done: Results): Iterable<readonly string[]>;
  /** Throws STUDY_PART for a part that the study does not have. */
  compute(plan: StudyPlan, part: string, watch: PartWatch): Promise<readonly Measured[]>;
  report(plan: StudyPlan, measured: readonly Measured[]): StudyTable;
}

/** A study's spec at a size. */
export interface Study {
  readonly name: StudyName;
  readonly spec: StudySpec;
  readonly plan: StudyPlan;
}

/** What a study found. */
export interface StudyTable {
  readonly conclusion: string; // what the table shows, and what it does not
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[]; // the table's cells
  readonly notes: readonly string[]; // how it was measured
  readonly figure: { readonly title: string; readonly caption: string; readonly svg: string };
}

/** study.json, and what its page shows. */
export interface StudyReport extends StudyTable {
  readonly study: StudyName;
  readonly title: string;
  readonly agent: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly wearers: { readonly train: readonly string[]; readonly heldOut: readonly string[] };
  readonly measured: readonly Measured[];
}
