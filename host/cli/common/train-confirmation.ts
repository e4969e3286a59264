import { join, resolve } from "node:path";
import { writeConfirmation } from "../../cloud/confirm/confirmation-file.ts";
import { DataError } from "../../core/system/errors.ts";
import { makeFolders } from "../../core/system/folder.ts";
import type { Output } from "../../core/system/output.ts";
import { writeWhole } from "../../core/system/private-file.ts";
import { bytesText, table } from "../../core/system/table.ts";
import { type ConfirmationTraining, type TrainedConfirmation, trainConfirmation } from "../../train/confirm/train-confirmation.ts";

/** What `--teacher` calls the model that confirms an agent's alarms. */
export const CONFIRMATION = "confirmation";

interface ConfirmationRun {
  readonly dataDir: string;
  readonly outDir: string;
  readonly seed: number;
}

/** Trains the model that confirms an agent's alarms, writes it into the runs' folder, and says how it does on wearers that it has not learned from. */
export function trainConfirmationInto(out: Output, training: ConfirmationTraining, { dataDir, outDir, seed }: ConfirmationRun): object {
  const seeded = { ...training, boosting: { ...training.boosting, seed }, extraTrees: { ...training.extraTrees, seed } };
  const trained = trainConfirmation(seeded, dataDir, (text) => out.note(text));
  const bytes = writeConfirmation(trained.confirmation);
  const path = join(outDir, "confirmation.safetensors");
  makeFolders(outDir);
  writeWhole(path, bytes);
  sayChecks(out, trained);
  out.say(`wrote ${path} (${bytesText(bytes.length)})`);
  const { chosen, calibrate, confirmation } = trained;
  return { path, seed, bytes: bytes.length, operatingPoint: confirmation.operatingPoint, chosen, calibrate };
}

/** The same, or undefined with a note if the folder lacks one of its data sets. */
export function tryTrainConfirmation(out: Output, training: ConfirmationTraining, run: ConfirmationRun): object | undefined {
  try {
    return trainConfirmationInto(out, training, run);
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== "HAPT_MISSING") throw error;
    out.note(
      `No ${training.name}: it learns from HAPT too. Give a folder that holds both data sets. ${resolve(run.dataDir)}: ${error.message}`,
    );
    return undefined;
  }
}

function sayChecks(out: Output, { chosen, calibrate }: TrainedConfirmation): void {
  const rows = [
    ["chosen on select and calibrate", chosen] as const,
    ["then, learned from select too: calibrate", calibrate] as const,
  ].flatMap(([title, checks]) =>
    (["mean", "linear"] as const).map((part) => {
      const { falls, missed, daily, falselyConfirmed } = checks[part];
      return [title, part, `${missed} of ${falls}`, `${falselyConfirmed} of ${daily}`];
    }),
  );
  for (const line of table(["wearers", "model", "falls missed", "daily recordings confirmed"], rows)) out.say(line);
}
