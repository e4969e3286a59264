import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import { writeWhole } from "../../core/system/private-file.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { countText, table } from "../../core/system/table.ts";
import { answersFromText, type RunSummary, readMetrics, type SeedMetrics, spreadText, summarize } from "../../eval/seed-summary.ts";
import type { RunMetrics } from "../../train/metrics.ts";
import { confirmationOf, planTraining, runsDir, type TrainOptions, type TrainPlan } from "../../train/plan.ts";
import { uncertifiedText } from "../../train/report/certificate.ts";
import { comparisonsLines } from "../../train/report/comparison-text.ts";
import { runFiles } from "../../train/run-folder.ts";
import { memberJob, runJobs, type TrainJob } from "../../train/run-jobs.ts";
import { runStudyVerb, type StudyOptions } from "../../train/study/run-studies.ts";
import { planText } from "../../train/text/plan-text.ts";
import { csvOptions } from "../common/csv-options.ts";
import { checkFolder } from "../common/files.ts";
import { jsonOption, wholeNumber } from "../common/options.ts";
import { studyOptions } from "../common/study-options.ts";
import { CONFIRMATION, trainConfirmationInto, tryTrainConfirmation } from "../common/train-confirmation.ts";
import { trainTexts } from "../common/train-text.ts";

const CSV_HELP = `
CSV recordings (--name): every .csv of the folder, one recording or several. The first line names the columns
time,<channel…>,label[,subject][,recording], in any order, a channel maybe with its unit: time,ax[g],ay[g],az[g],label.
Commas, semicolons or tabs between fields. Time is in seconds, in the unit of its header (time[ms]), or a date such
as 2026-05-01T12:00:00.020Z. timestamp is read as time, activity and class as label, user and participant as subject;
acc_x[m/s^2] is read as ax[g], gyro_x[rad/s] as gx[°/s]. An empty cell or NaN is a gap: 8 frames are filled, a longer
one splits the recording. An empty label means unlabelled.
A new recording begins where the subject or the recording changes, or time goes back. Without a subject column the
file's name says who wore it: s, subject, user, p, participant, person or wearer and a number, as in s03_walk.csv.
Subjects in ascending order, counted from 0: position mod 5 = 1 tests, 2 calibrates, 4 selects, the rest fit. At least
3 are needed; --dry-run shows what was understood.

CSV texts (--name): a file whose first line has the columns text and label trains an agent that reads texts. Every fifth text
of a label validates; the label oos is for texts that are none of the others. It takes seconds and begins anew each time.
`;

/** Parses the name of an agent. */
function agentName(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(text))
    throw new InvalidArgumentError("Give lower-case letters, digits and dashes, a letter first, at most 32.");
  return text;
}

/** `dormouse train`: makes an agent's model from recordings. */
export function registerTrain(program: Command, io: CliIo): void {
  const command = program
    .command("train")
    .description("Train an agent's model from recordings: quantisation-aware, calibrated, exported as .dmm. Resumes an interrupted run.")
    .argument("[agent]", "a bundled agent's name; none with --name")
    .requiredOption(
      "--data <dir>",
      "read HAPT (activity), SisFall (fall), CLINC150 (assistant), or with --name CSV files, one per recording, or a CSV file text,label",
    )
    .addOption(new Option("--name <name>", "train an agent of your own on CSV recordings").argParser(agentName))
    .option("--out <dir>", "write seed-<n>/ and summary.json to this folder (default: runs/<agent>)")
    .addOption(
      new Option("--seed <n>", "seed weights, batches and augmentation (default: 1; a teacher has its own)")
        .argParser(wholeNumber(0))
        .conflicts("seeds"),
    )
    .option("--seeds <n>", "train the seeds 1…n, and report their mean and deviation", wholeNumber(1, 1000))
    .addOption(
      new Option(
        "--workers <n>",
        "train this many seeds at once, each in a process (default: 1; with --name 2 where there are two cores)",
      ).argParser(wholeNumber(1, 64)),
    )
    .option("--steps <n>", "train for this many steps (default: set by the recipe)", wholeNumber(1))
    .addOption(
      new Option(
        "--phase <name>",
        "train on the fit wearers to choose a recipe (select), or on all but the calibration and test wearers (final)",
      )
        .choices(["select", "final"])
        .default("final"),
    )
    .addOption(
      new Option("--float", "train the same recipe without int8, into float/, to compare quantisation with")
        .default(false)
        .conflicts("teacher"),
    )
    .option(
      "--teacher <member>",
      "train this member of the cloud's ensemble alone; of fall: confirmation, the model that confirms its alarms",
    )
    .option("--fresh", "discard an earlier run in the folder", false);
  for (const option of [...csvOptions(), ...studyOptions()]) command.addOption(option);
  command
    .addOption(jsonOption())
    .addHelpText(
      "after",
      CSV_HELP +
        "\nExamples:\n  $ dormouse train activity --data ~/data --seed 1" +
        "\n  $ dormouse train activity --data ~/data --seeds 3 --workers 2" +
        "\n  $ dormouse train activity --data ~/data --study search --trials 16 --workers 2" +
        "\n  $ dormouse train assistant --data ~/clinc150 --seeds 3" +
        "\n  $ dormouse train --data ~/gestures --name gestures && dormouse eval runs/gestures/seed-1 --data ~/gestures",
    )
    .action((agent: string | undefined, options: TrainOptions & StudyOptions, own: Command) => train(io, agent, options, own));
}

async function train(io: CliIo, agent: string | undefined, options: TrainOptions & StudyOptions, command: Command): Promise<void> {
  const out = createOutput(io, options.json);
  if (options.out !== undefined) checkFolder(resolve(io.cwd, options.out));
  out.note(`Reading ${options.data} …`);
  if (options.study !== undefined) return runStudyVerb(io, out, agent, options);
  if (options.trials !== undefined || options.part !== undefined)
    throw new ConfigError("TRAIN_OPTIONS", "--trials and --part go with --study: add it, or leave them out.");
  const text = await planText(io.cwd, agent, options, (option) => command.getOptionValueSource(option) === "cli");
  if (text !== undefined) return trainTexts(io, out, text);
  const confirmation = options.float || options.phase === "select" ? undefined : await confirmationOf(agent);
  const dataDir = resolve(io.cwd, options.data);
  if (confirmation !== undefined && options.teacher === CONFIRMATION) {
    const outDir = resolve(io.cwd, options.out ?? `runs/${agent}`);
    return out.document(trainConfirmationInto(out, confirmation, { dataDir, outDir, seed: options.seed ?? 1 }));
  }
  const plan = await planTraining(io, agent, options);
  const { training, seeds, outDir } = plan;
  if (options.dryRun) return sayPlan(out, plan);
  for (const note of plan.notes) out.note(note);
  const dir = runsDir(plan);
  const ensemble = plan.missingMembers.map((member) => memberJob(outDir, member));
  if (ensemble.length > 0) await runJobs(io, out, plan, ensemble, `training the ensemble of ${training.name}`);
  const jobs = seeds.map((seed): TrainJob => ({ training, seed, outDir, dir: join(dir, `seed-${seed}`), member: options.teacher }));
  await runJobs(io, out, plan, jobs, `training ${training.name}`);
  const metrics = jobs.map((job) => readMetrics(join(job.dir, runFiles.metrics)));
  const summary = summarize(metrics);
  writeWhole(join(dir, "summary.json"), `${JSON.stringify(summary, undefined, 1)}\n`);
  saySummary(out, summary, metrics);
  const whole = jobs.map((job) => JSON.parse(readFileSync(join(job.dir, runFiles.metrics), "utf8")) as RunMetrics); // as trainAgent wrote them
  const comparisons = whole.flatMap(({ comparison }) => comparison ?? []);
  for (const line of comparisonsLines(comparisons, whole[0]!.wearers.train.length)) out.say(line);
  const { image, weights, report, card } = runFiles;
  const files = jobs.flatMap((job) => [image, weights, report, card].map((file) => join(job.dir, file)).filter((path) => existsSync(path)));
  for (const file of [...files, join(dir, "summary.json")]) out.say(`wrote ${file}`);
  const isWhole = confirmation !== undefined && options.teacher === undefined;
  const confirmed = isWhole ? tryTrainConfirmation(out, confirmation, { dataDir, outDir, seed: options.seed ?? 1 }) : undefined;
  out.document({
    ...summary,
    outDir: dir,
    ...(confirmed && { confirmation: confirmed }),
    runs: metrics.map(({ seed, heldOut }, i) => ({
      seed,
      dir: jobs[i]!.dir,
      heldOut: { window: heldOut.window.accuracy, stream: heldOut.stream.accuracy },
    })),
  });
}

/** What a training would learn from; nothing is trained. */
function sayPlan(out: Output, { notes, training, seeds }: TrainPlan): void {
  for (const note of notes) out.say(note);
  out.say("Nothing is trained: leave --dry-run out to train.");
  const { manifest, split, recipe } = training;
  out.document({ agent: training.name, isDryRun: true, seeds, steps: recipe.steps, manifest, split, notes });
}

function saySummary(out: Output, summary: RunSummary, metrics: readonly SeedMetrics[]): void {
  const { agent, seeds, phase, heldOut, window, stream, answersFrom } = summary;
  const many = seeds.length > 1 ? `seeds ${seeds.join(" ")}, mean ± deviation` : `seed ${seeds[0]}`;
  const windows = countText(metrics[0]!.heldOut.window.windows, "window");
  const isFitted = phase === "final" && answersFrom !== undefined;
  out.say(
    `trained ${agent} (${many}, ${phase}); held-out wearers ${heldOut.join(", ")} (${windows})${isFitted ? ", the thresholds fitted on them" : ""}`,
  );
  const rows = window.map((accuracy, exit) => [
    ...[exit + 1, spreadText(accuracy), spreadText(stream[exit]!)],
    ...(answersFrom ? [answersFromText(answersFrom[exit]!)] : []),
  ]);
  for (const line of table(["exit", "window", "stream", ...(answersFrom ? ["answers from"] : [])], rows)) out.say(line);
  for (const one of metrics) {
    const warning = uncertifiedText(one);
    if (warning !== undefined) out.say(seeds.length > 1 ? `seed ${one.seed}: ${warning}` : warning);
  }
}
