import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openAgentModel } from "../../agent/registry.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { countText, percentText, table } from "../../core/system/table.ts";
import { type EvalSetting, withModel } from "../../eval/eval-setting.ts";
import { type Spread, spread, spreadText } from "../../eval/seed-summary.ts";
import { comparisonsLines } from "../../train/report/comparison-text.ts";
import { runFiles } from "../../train/run-folder.ts";
import { type AccuracyOptions, scoreAccuracy, trainedAndScored } from "./accuracy.ts";

/** Scores the image of every seed that `train` left in a folder, and reports mean and deviation. Throws EVAL_NO_RUNS. */
export async function evalRuns(setting: EvalSetting, dir: string, options: AccuracyOptions): Promise<void> {
  const { out, list } = setting;
  const runs: ({ readonly seed: number } & ReturnType<typeof scoreAccuracy>)[] = [];
  for (const { seed, own } of await openRuns(setting, dir)) {
    out.note(`Seed ${seed} …`);
    runs.push({ seed, ...scoreAccuracy(own, options) });
  }
  const exits: Spread[] = runs[0]!.exits.map((_, k) => spread(runs.map((run) => run.exits[k]!.accuracy)));
  const floats = runs.flatMap(({ float }) => (float ? [float.accuracy] : []));
  const document = {
    agent: setting.agent.definition.name,
    protocol: options.protocol,
    windows: runs[0]!.windows,
    seeds: runs.map(({ seed }) => seed),
    accuracy: exits.at(-1)!,
    exits,
    ...(floats.length === runs.length ? { float: spread(floats) } : {}),
    runs: runs.map(({ seed, accuracy, macroF1, float, imageBytes, imageHash, comparison }) => ({
      seed,
      ...(comparison && { comparison }),
      accuracy,
      macroF1,
      float,
      imageBytes,
      imageHash,
    })),
    users: runs[0]!.users,
  };
  out.say(
    `${document.agent}, ${options.protocol} protocol: ${document.windows} windows of ${countText(document.users.length, `${list} wearer`)}`,
  );
  const rows = runs.map(({ seed, exits: own, float }) => [
    seed,
    ...own.map(({ accuracy }) => percentText(accuracy, 2)),
    float ? percentText(float.accuracy, 2) : "",
  ]);
  const means = ["mean ± sd", ...exits.map(spreadText), document.float ? spreadText(document.float) : ""];
  for (const line of table(["seed", ...exits.map((_, k) => `exit ${k + 1}`), "float"], [...rows, means])) out.say(line);
  const comparisons = runs.flatMap(({ comparison }) => comparison ?? []);
  for (const line of comparisonsLines(comparisons, trainedAndScored(setting.model, []).train.length)) out.say(line);
  out.document(document);
}

/** One seed of a folder that `train` wrote. */
export interface SeedSetting {
  readonly seed: number;
  readonly own: EvalSetting; // with that seed's image
}

/** The image of every seed that `train` left in a folder, in order. Throws EVAL_NO_RUNS, and EVAL_RUNS_DIFFER if they score different wearers. */
export async function openRuns(setting: EvalSetting, dir: string): Promise<SeedSetting[]> {
  const runs: SeedSetting[] = [];
  for (const seed of seedsIn(dir)) {
    const agent = withModel(setting.agent, join(dir, `seed-${seed}`, runFiles.image));
    runs.push({ seed, own: { ...setting, agent, model: await openAgentModel(agent, { engine: setting.model.engine }) } });
  }
  const [first, ...others] = runs.map(({ seed, own }) => ({ seed, users: own.model.manifest.protocol[own.list].join(" ") }));
  const other = others.find(({ users }) => users !== first!.users);
  if (other)
    throw new ConfigError(
      "EVAL_RUNS_DIFFER",
      `seed-${other.seed} in ${dir} scores the wearers ${other.users}, seed-${first!.seed} ${first!.users}: name a folder of one training.`,
    );
  return runs;
}

function seedsIn(dir: string): number[] {
  const names = existsSync(dir) ? readdirSync(dir) : [];
  const seeds = names.flatMap((name) => {
    const match = /^seed-(\d+)$/.exec(name);
    return match && existsSync(join(dir, name, runFiles.image)) ? [Number(match[1])] : [];
  });
  if (seeds.length === 0)
    throw new ConfigError("EVAL_NO_RUNS", `${dir} holds no seed-<n>/${runFiles.image}: name the folder that \`dormouse train\` wrote.`);
  return seeds.sort((a, b) => a - b);
}
