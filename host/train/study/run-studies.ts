import { join, resolve } from "node:path";
import { ConfigError } from "../../core/system/errors.ts";
import type { Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { table } from "../../core/system/table.ts";
import type { TrainOptions } from "../plan.ts";
import { runSeeds } from "../run-seeds.ts";
import { runInProcess } from "../seed-process.ts";
import type { FinishedPart } from "./run-study.ts";
import { type Study, type StudyName, type StudyPlan, studySizes } from "./study.ts";

/** `dormouse train activity --study …`: a table of short trainings, resumable part by part. */
export async function runStudyVerb(io: CliIo, out: Output, agent: string | undefined, options: TrainOptions & StudyOptions): Promise<void> {
  const name = options.study!;
  const { computePart, openStudy, partFiles, runStudy, studyFiles, withoutFigure } = await import("./run-study.ts");
  const study = openStudy(name, await planOf(io, agent, name, options));
  const { outDir } = study.plan;
  const size = study.spec.size(study.plan);
  const computeHere = (part: string): Promise<FinishedPart> => computePart(study, part, watch(io, out, part), () => io.clock.now());
  if (options.part !== undefined) return out.document(await computeHere(options.part));
  if (options.fresh) partFiles(study).clear();
  const { workers = 1 } = options;
  const isApart = workers > 1;
  const began = io.clock.now();
  let known = 0;
  let computed = 0;
  const report = await runStudy(study, {
    computeAll: (parts) =>
      runSeeds(
        parts.map((_, i) => i),
        workers,
        async (i) => {
          if (isApart) await runInProcess(io, partArgs(study, options, parts[i]!), () => {});
          else await computeHere(parts[i]!);
          computed++;
          const finished = partFiles(study).read(parts[i]!)!;
          const left = size - known - computed;
          const minutes = ((io.clock.now() - began) / computed / 60_000) * left;
          out.note(`  ${known + computed} of ${size}: ${partText(parts[i]!, finished)}; ${minutes.toFixed(1)} min left`);
        },
      ),
    onKnown: (part) => out.note(`  ${++known} of ${size}: ${part} is there`),
  });
  for (const line of table(report.columns, report.rows)) out.say(line);
  for (const text of [report.conclusion, ...report.notes]) out.say(text);
  for (const file of Object.values(studyFiles)) out.say(`wrote ${join(outDir, file)}`);
  out.document({ ...withoutFigure(report), outDir });
}

async function planOf(io: CliIo, agent: string | undefined, name: StudyName, options: TrainOptions & StudyOptions): Promise<StudyPlan> {
  if (agent !== "activity" || options.name !== undefined || options.teacher !== undefined)
    throw new ConfigError(
      "STUDY_AGENT",
      "studies are of the activity agent: dormouse train activity --data DIR --study NAME, without --name and --teacher.",
    );
  if (options.float || options.phase !== "final" || options.rate !== undefined)
    throw new ConfigError("STUDY_OPTIONS", "a study trains on the fit wearers by its own rows: leave --float, --phase and --rate out.");
  if (options.trials !== undefined && name !== "search")
    throw new ConfigError("STUDY_TRIALS", `--trials goes with --study search: the ${name} study's size is its --seeds.`);
  if (name === "search" && options.seeds !== undefined)
    throw new ConfigError("STUDY_SEEDS", "a search has one seed: give --seed n, and --trials for its size.");
  const { activityTraining } = await import("../../../agents/activity/train.ts");
  const { loadHapt } = await import("../../data/hapt.ts");
  const usual = studySizes[name];
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
  return {
    training: activityTraining,
    dataset: loadHapt(resolve(io.cwd, options.data)),
    outDir: resolve(io.cwd, options.out ?? `runs/studies/${name}`),
    seeds: options.seed === undefined ? upTo(options.seeds ?? usual.seeds) : [options.seed],
    steps: options.steps ?? usual.steps,
    trials: options.trials ?? usual.trials,
  };
}

/** The command line that computes one part in a process of its own. */
function partArgs({ name, plan }: Study, options: TrainOptions, part: string): string[] {
  const size = name === "search" || plan.seeds.length === 1 ? ["--seed", String(plan.seeds[0])] : ["--seeds", String(plan.seeds.length)];
  const where = ["--data", options.data, "--out", plan.outDir];
  return ["train", "activity", ...where, "--study", name, "--steps", String(plan.steps), ...size, "--part", part];
}

function watch(io: CliIo, out: Output, part: string) {
  return { signal: io.interrupt, onStep: out.progress(`${part}: steps`).at };
}

/** mean-logit.seed-1: window 91.20 %, stream 95.10 %, 48 s */
function partText(part: string, { measured, seconds }: FinishedPart): string {
  const only = measured.length === 1 ? measured[0]!.values : {};
  const shares = ["window", "stream"].flatMap((key) => (only[key] === undefined ? [] : [`${key} ${(100 * only[key]).toFixed(2)} %`]));
  return `${part}: ${[...shares, `${Math.round(seconds)} s`].join(", ")}`;
}

/** What `train --study` adds to the command line. */
export interface StudyOptions {
  readonly study?: StudyName;
  readonly trials?: number;
  readonly part?: string;
}
