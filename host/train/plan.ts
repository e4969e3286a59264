import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, DataError } from "../core/system/errors.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { type CsvFolder, readCsvFolder } from "../data/csv/csv-folder.ts";
import type { Grouping } from "../data/csv/regroup.ts";
import type { Dataset } from "../data/recording.ts";
import type { LabelRule } from "../data/window-rule.ts";
import type { ConfirmationTraining } from "./confirm/train-confirmation.ts";
import { chooseWindows } from "./csv/choose-windows.ts";
import { csvTraining } from "./csv/csv-training.ts";
import { describeTraining } from "./csv/describe-training.ts";
import { isMemberTrained } from "./ensemble.ts";
import type { AgentTraining, EnsembleMember, Phase } from "./training.ts";

/** The command line of `train`. */
export interface TrainOptions {
  readonly json: boolean;
  readonly data: string;
  readonly out?: string;
  readonly name?: string;
  readonly rate?: number;
  readonly ignore?: readonly string[];
  readonly window?: number; // seconds
  readonly labelRule?: LabelRule;
  readonly split?: Grouping;
  readonly fold?: number;
  readonly teachers?: number;
  readonly dryRun: boolean;
  readonly seed?: number;
  readonly seeds?: number;
  readonly workers?: number;
  readonly steps?: number;
  readonly phase: Phase;
  readonly teacher?: string;
  readonly float: boolean;
  readonly fresh: boolean;
}

/** What is to be trained, on what, and where it goes. */
export interface TrainPlan {
  readonly training: AgentTraining;
  readonly dataset: Dataset;
  readonly seeds: readonly number[];
  readonly outDir: string;
  /** Members of the ensemble that must be trained before the students. */
  readonly missingMembers: readonly EnsembleMember[];
  readonly agent: string | undefined; // undefined: one of the user's own, by --name
  readonly notes: readonly string[]; // what people shall know of the data
  readonly options: TrainOptions;
}

interface BundledRecipe {
  readonly training: AgentTraining;
  readonly load: (dir: string) => Dataset;
  readonly confirmation?: ConfirmationTraining;
}

/** Bundled agents that can be trained, and the loader of their data set. */
const recipes: Readonly<Record<string, () => Promise<BundledRecipe>>> = {
  activity: async () => {
    const { activityTraining } = await import("../../agents/activity/train.ts");
    const { loadHapt } = await import("../data/hapt.ts");
    return { training: activityTraining, load: loadHapt };
  },
  fall: async () => {
    const { fallConfirmation, fallTraining, loadFallTraining } = await import("../../agents/fall/train.ts");
    return { training: fallTraining, load: loadFallTraining, confirmation: fallConfirmation };
  },
};

/** The cloud's model that confirms a bundled agent's alarms; undefined if it has none. */
export async function confirmationOf(agent: string | undefined): Promise<ConfirmationTraining | undefined> {
  return agent === undefined ? undefined : (await recipes[agent]?.())?.confirmation;
}

/** Where the runs of `train` lie below --out. */
export function runsDir({ outDir, options }: Pick<TrainPlan, "outDir" | "options">): string {
  return options.float ? join(outDir, "float") : outDir;
}

/** Reads the data and works out a training; throws ConfigError or DataError. */
export async function planTraining(io: CliIo, agent: string | undefined, options: TrainOptions): Promise<TrainPlan> {
  const { name } = options;
  if ((agent === undefined) === (name === undefined))
    throw new ConfigError(
      "TRAIN_UNKNOWN",
      "name a bundled agent to train it (dormouse train activity), or give --name for an agent of your own on CSV recordings.",
    );
  if (name !== undefined) return planCsv(io, name, options);
  const own = (["rate", "ignore", "window", "labelRule", "split", "fold", "teachers"] as const).find(
    (option) => options[option] !== undefined,
  );
  if (own !== undefined || options.dryRun)
    throw new ConfigError(
      "TRAIN_OPTIONS",
      `--${(own ?? "dryRun").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} goes with --name: a bundled agent's data set has its own.`,
    );
  const recipe = recipes[agent!];
  if (recipe === undefined)
    throw new ConfigError(
      "TRAIN_UNKNOWN",
      `there is no training recipe for agent "${agent}"; there is one for ${Object.keys(recipes).join(" and ")}. To train on CSV recordings give --name ${agent} instead.`,
    );
  const { training: bundled, load } = await recipe();
  const member = options.teacher === undefined ? undefined : memberOf(bundled, options.teacher);
  const training = options.float ? inFloat(bundled) : (member?.training ?? bundled);
  const outDir = resolve(io.cwd, options.out ?? `runs/${training.name}`);
  const members = training.ensemble?.members ?? [];
  const dataset = load(resolve(io.cwd, options.data));
  const { phase, steps } = options;
  const run = { dataset, phase, ...(steps === undefined ? {} : { steps }) };
  return {
    training,
    dataset,
    seeds: seedsOf(options, member?.seed ?? 1),
    outDir,
    missingMembers: options.fresh ? members : members.filter((one) => !isMemberTrained(outDir, one, run)),
    agent,
    notes: [],
    options,
  };
}

/** The same recipe with int8 never imitated: what quantisation costs is measured against it. */
function inFloat(training: AgentTraining): AgentTraining {
  return { ...training, recipe: { ...training.recipe, quantizeFromShare: 1 } };
}

function memberOf({ ensemble }: AgentTraining, name: string): EnsembleMember {
  const member = ensemble?.members.find((one) => one.name === name);
  if (member) return member;
  const names = ensemble?.members.map((one) => one.name).join(", ") ?? "none";
  throw new ConfigError("TEACHER_UNKNOWN", `the ensemble has no member "${name}"; it has: ${names}.`);
}

/** An agent of one's own: CSV recordings, the activity agent's net and recipe with as many channels and classes. */
async function planCsv(io: CliIo, name: string, options: TrainOptions): Promise<TrainPlan> {
  const { labelledTraining } = await import("../../agents/activity/train.ts");
  const { rate, ignore, window, labelRule, split, fold, teachers, steps, phase } = options;
  const path = resolve(io.cwd, options.data);
  if (!existsSync(path)) throw new DataError("CSV_NONE", `${path} is not there: give a folder with one CSV file a recording.`);
  const read = (rateHz: number | undefined): CsvFolder => readCsvFolder(path, { rateHz, ...(ignore && { ignore }) });
  const recorded = read(rate);
  const choice = chooseWindows(recorded, { seconds: window, rule: labelRule });
  const folder = choice.rateHz === recorded.rateHz ? recorded : read(choice.rateHz);
  const shape = { ...labelledTraining, recipe: { ...labelledTraining.recipe, steps: steps ?? CSV_STEPS } };
  const planned = csvTraining(name, folder, shape, {
    windows: choice.windows,
    ...(split && { grouping: split }),
    ...(fold !== undefined && { fold }),
    ...(teachers !== undefined && { teachers }),
  });
  const member = options.teacher === undefined ? undefined : memberOf(planned.training, options.teacher);
  const training = member?.training ?? (options.float ? inFloat(planned.training) : planned.training);
  const outDir = resolve(io.cwd, options.out ?? `runs/${name}`);
  const { dataset } = planned;
  const members = training.ensemble?.members ?? [];
  const run = { dataset, phase };
  return {
    training,
    dataset,
    seeds: seedsOf(options, member?.seed ?? 1),
    outDir,
    missingMembers: options.fresh ? members : members.filter((one) => !isMemberTrained(outDir, one, run)),
    agent: undefined,
    notes: describeTraining(planned, folder, choice),
    options,
  };
}

/** Steps of an own agent's training by default, and of its teachers half as many: a usable agent in minutes. */
const CSV_STEPS = 600;

/** --seeds N: 1…N; --seed n: that one. */
function seedsOf({ seed, seeds }: TrainOptions, usual: number): number[] {
  return seeds === undefined ? [seed ?? usual] : Array.from({ length: seeds }, (_, i) => i + 1);
}
