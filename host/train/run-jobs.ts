import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Output } from "../core/system/output.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { keptFiles, writeAgentFolder } from "./agent-folder.ts";
import { memberDir } from "./member-dir.ts";
import type { TrainPlan } from "./plan.ts";
import { createProgressOutput, type ProgressOutput } from "./progress-output.ts";
import { openRunFolder } from "./run-folder.ts";
import { runSeeds } from "./run-seeds.ts";
import { runInProcess } from "./seed-process.ts";
import type { AgentTraining, EnsembleMember } from "./training.ts";

/** One net to train. Seeds of jobs that run together differ. */
export interface TrainJob {
  readonly training: AgentTraining;
  readonly seed: number;
  readonly outDir: string; // what --out names
  readonly dir: string; // of this run
  readonly member: string | undefined; // of the ensemble, as --teacher names it
}

/** The job of an ensemble's member beside the students in `outDir`. */
export function memberJob(outDir: string, member: EnsembleMember): TrainJob {
  const { training, seed, name } = member;
  return { training, seed, outDir: join(outDir, "ensemble", name), dir: memberDir(outDir, member), member: name };
}

/** Trains every job, `--workers` at once, and shows how they get on. */
export async function runJobs(io: CliIo, out: Output, plan: TrainPlan, jobs: readonly TrainJob[], title: string): Promise<void> {
  const seeds = jobs.map(({ seed }) => seed);
  if (plan.options.fresh) for (const { dir } of jobs) openRunFolder(dir, true);
  const view = createProgressOutput(io, out, `${title} → ${plan.outDir}`, seeds);
  const workers = plan.options.workers ?? (plan.agent === undefined ? Math.min(2, availableParallelism()) : 1);
  const run = workers > 1 && jobs.length > 1 ? inProcess : inThis;
  try {
    await runSeeds(seeds, workers, async (seed) => {
      await run(io, plan, jobs.find((job) => job.seed === seed)!, view);
      view.done(seed);
    });
  } finally {
    view.close();
  }
  if (plan.agent === undefined) for (const { dir } of jobs) for (const note of keptFiles(dir)) out.note(note);
}

/** Trains a job in this process. */
async function inThis(
  io: CliIo,
  { dataset, options, outDir, agent }: TrainPlan,
  { training, seed, dir, member }: TrainJob,
  view: ProgressOutput,
): Promise<void> {
  const { trainAgent } = await import("./run.ts");
  const { loadTeaching } = await import("./ensemble.ts");
  const { metrics } = await trainAgent(training, {
    ...{ dataset, seed, outDir: dir, phase: options.phase, clock: io.clock, signal: io.interrupt },
    ...(options.steps === undefined || agent === undefined ? {} : { steps: options.steps }), // an own agent's plan has them
    ...(training.ensemble ? { teaching: await loadTeaching(training.ensemble, outDir) } : {}),
    onProgress: (progress) => view.report(seed, progress),
    onStep: (progress) => view.step(seed, progress),
  });
  if (agent === undefined && member === undefined) writeAgentFolder(dir, training, metrics, training.ensemble ? outDir : undefined);
}

/** Trains a job in a process of its own, by the same command line with --seed. */
function inProcess(io: CliIo, { agent, options }: TrainPlan, { seed, outDir, dir, member }: TrainJob, view: ProgressOutput): Promise<void> {
  const { data, phase, steps, name, rate, float, ignore, window, labelRule, split, fold, teachers } = options;
  const args = [
    "train",
    ...(agent === undefined ? [] : [agent]),
    "--data",
    data,
    "--out",
    outDir,
    "--seed",
    String(seed),
    "--phase",
    phase,
  ];
  if (name !== undefined) args.push("--name", name);
  if (rate !== undefined) args.push("--rate", String(rate));
  if (ignore !== undefined) args.push("--ignore", ignore.join(","));
  if (window !== undefined) args.push("--window", `${window}s`);
  if (labelRule !== undefined) args.push("--label-rule", labelRule);
  if (split !== undefined) args.push("--split", split);
  if (fold !== undefined) args.push("--fold", String(fold));
  if (teachers !== undefined) args.push("--teachers", String(teachers));
  if (steps !== undefined) args.push("--steps", String(steps));
  if (member !== undefined) args.push("--teacher", member);
  else if (float) args.push("--float");
  let shown = -1;
  return runInProcess(io, args, () => {
    const last = openRunFolder(dir, false).progress().at(-1);
    if (last === undefined || last.step === shown) return;
    shown = last.step;
    view.report(seed, last);
  });
}
