import { join } from "node:path";
import type { Output } from "../../core/system/output.ts";
import { writeWhole } from "../../core/system/private-file.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { bytesText, percentText, table } from "../../core/system/table.ts";
import { spread, spreadText } from "../../eval/seed-summary.ts";
import { runFiles } from "../../train/run-folder.ts";
import { writeOwnTextAgent } from "../../train/text/own-text-agent.ts";
import type { TextPlan } from "../../train/text/plan-text.ts";
import { trainText } from "../../train/text/train-text.ts";

/** Trains the seeds of a text agent one after the other, and says what the validation texts say of each. */
export function trainTexts(io: CliIo, out: Output, { training, seeds, outDir, isOwn }: TextPlan): void {
  const { name, dataset } = training;
  out.note(`${name}: ${dataset.fit.length} texts, ${dataset.labels.length} labels; ${dataset.validation.length} texts validate`);
  const runs = seeds.map((seed) => {
    const dir = join(outDir, `seed-${seed}`);
    const onEpoch = (epoch: number, epochs: number, loss: number): void =>
      out.note(`  seed ${seed}: epoch ${epoch} of ${epochs}, loss ${loss.toFixed(3)}`);
    const metrics = trainText(training, { seed, dir, onEpoch, signal: io.interrupt });
    if (isOwn && !writeOwnTextAgent(dir, training)) out.note(`Kept ${join(dir, runFiles.agent)}: delete it to have it anew.`);
    return { dir, metrics };
  });
  const scores = runs.map(({ metrics }) => metrics.validation);
  const summary = {
    agent: name,
    seeds,
    validation: {
      accuracy: spread(scores.map(({ accuracy }) => accuracy)),
      askedFraction: spread(scores.map(({ askedFraction }) => askedFraction)),
      localAccuracy: spread(scores.map(({ localAccuracy }) => localAccuracy)),
    },
  };
  writeWhole(join(outDir, "summary.json"), `${JSON.stringify(summary, undefined, 1)}\n`);
  const rows = runs.map(({ metrics: { seed, validation, threshold, imageBytes } }) => [
    seed,
    ...[validation.accuracy, validation.askedFraction, validation.localAccuracy, threshold].map((share) => percentText(share, 2)),
    bytesText(imageBytes),
  ]);
  const { accuracy, askedFraction, localAccuracy } = summary.validation;
  const means = seeds.length > 1 ? [["mean ± sd", spreadText(accuracy), spreadText(askedFraction), spreadText(localAccuracy), "", ""]] : [];
  for (const line of table(["seed", "right", "asked", "right of the rest", "threshold", "image"], [...rows, ...means])) out.say(line);
  out.say("These are the validation texts, which the threshold was fitted on: dormouse eval scores others.");
  for (const { dir } of runs) out.say(`wrote ${join(dir, runFiles.image)}`);
  out.document({ ...summary, outDir, runs: runs.map(({ dir, metrics }) => ({ dir, ...metrics })) });
}
