import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { TeacherMember } from "../../../agents/activity/train.ts";
import { ConfigError } from "../../core/errors.ts";
import type { CliIo } from "../io.ts";
import { jsonOption, wholeNumber } from "../options.ts";
import { createOutput } from "../output.ts";
import { percentText } from "../table.ts";

interface TrainOptions {
  readonly json: boolean;
  readonly data: string;
  readonly out: string;
  readonly seed?: number;
  readonly epochs?: number;
  readonly phase: "select" | "final";
  readonly teacher?: TeacherMember;
}

/** `dormouse train`: makes an agent's model from recordings. */
export function registerTrain(program: Command, io: CliIo): void {
  program
    .command("train")
    .description("Train an agent's model from recordings: quantisation-aware, calibrated, exported as a .dmm image.")
    .argument("<agent>", "a bundled agent's name")
    .requiredOption("--data <dir>", "folder of HAPT, or its parent")
    .option("--out <dir>", "where model.dmm and model.safetensors go", "runs/train")
    .option("--seed <n>", "of weights, batches and augmentation (default: 1; a teacher has its own)", wholeNumber(0))
    .option("--epochs <n>", "of 100 steps each (default: the recipe's)", wholeNumber(1))
    .addOption(
      new Option("--phase <name>", "select: fit wearers alone, to choose a recipe; final: all but the calibration and test wearers")
        .choices(["select", "final"])
        .default("final"),
    )
    .addOption(new Option("--teacher <member>", "train this member of the cloud's ensemble instead").choices(["a", "b"]))
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse train activity --data ~/data --out runs/activity-1 --seed 1")
    .action((agent: string, options: TrainOptions) => train(io, agent, options));
}

async function train(io: CliIo, agent: string, options: TrainOptions): Promise<void> {
  const out = createOutput(io, options.json);
  if (agent !== "activity") {
    throw new ConfigError("TRAIN_UNKNOWN", `there is no training recipe for agent "${agent}": only activity has one.`);
  }
  const { trainActivity } = await import("../../../agents/activity/train.ts");
  const outDir = resolve(io.cwd, options.out);
  const report = await trainActivity({
    dataDir: resolve(io.cwd, options.data),
    outDir,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    phase: options.phase,
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(options.teacher === undefined ? {} : { teacher: options.teacher }),
    onProgress: ({ step, steps, loss, seconds }) =>
      out.note(`  step ${step} of ${steps}, loss ${loss.toFixed(3)}, ${Math.round(seconds)} s`),
  });
  const { heldOut, files, exits, seed } = report;
  out.say(`trained ${agent} (seed ${seed}, ${options.phase}); held-out wearers ${heldOut.users.join(", ")}`);
  heldOut.window.forEach((accuracy, exit) => {
    out.say(`  exit ${exit + 1}: window ${percentText(accuracy, 2)}, stream ${percentText(heldOut.stream[exit]!, 2)}`);
  });
  for (const file of files) out.say(`wrote ${file}`);
  out.document({ agent, seed, phase: options.phase, teacher: options.teacher ?? null, heldOut, exits, files });
}
