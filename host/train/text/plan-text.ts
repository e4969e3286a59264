import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError, DataError } from "../../core/system/errors.ts";
import { isTextCsv, loadTextCsv } from "../../data/csv/text-csv.ts";
import type { TrainOptions } from "../plan.ts";
import { type TextTraining, textTraining } from "./text-training.ts";

/** What is to be trained on texts, and where it goes. */
export interface TextPlan {
  readonly training: TextTraining;
  readonly seeds: readonly number[];
  readonly outDir: string;
  readonly isOwn: boolean; // an agent of the user's own, by --name
}

const REFUSED = ["rate", "teacher", "steps", "float", "workers"] as const;
type Refused = (typeof REFUSED)[number];

/** The plan of a training on texts; undefined if the agent or the data is no text. `given`: the options of the command line. */
export async function planText(
  cwd: string,
  agent: string | undefined,
  options: Pick<TrainOptions, "data" | "name" | "out" | "phase" | "seed" | "seeds">,
  given: (option: Refused) => boolean,
): Promise<TextPlan | undefined> {
  const data = resolve(cwd, options.data);
  const isOwn = agent === undefined && options.name !== undefined && isTextCsv(data);
  if (agent !== "assistant" && !isOwn) return undefined;
  const refused = REFUSED.find(given);
  if (refused !== undefined)
    throw new ConfigError("TRAIN_OPTIONS", `--${refused} goes with an agent that reads a sensor: leave it out for one that reads texts.`);
  if (agent !== undefined && options.name !== undefined)
    throw new ConfigError("TRAIN_UNKNOWN", "name a bundled agent or give --name for one of your own, not both.");
  if (!existsSync(data))
    throw new DataError("TEXT_NONE", `${data} is not there: give the folder of CLINC150, or a CSV file with text,label.`);
  const name = options.name ?? "assistant";
  const training = isOwn
    ? textTraining(name, loadTextCsv(data))
    : (await import("../../../agents/assistant/train.ts")).assistantTraining(data, options.phase);
  const seeds = options.seeds === undefined ? [options.seed ?? 1] : Array.from({ length: options.seeds }, (_, i) => i + 1);
  return { training, seeds, outDir: resolve(cwd, options.out ?? `runs/${name}`), isOwn };
}
