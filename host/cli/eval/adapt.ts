import { createRandom } from "../../core/system/random.ts";
import { percentText, pointsText, table } from "../../core/system/table.ts";
import { type EvalSetting, wearerRoles } from "../../eval/eval-setting.ts";
import { type Adaptable, openAdaptable } from "../../personalize/prior.ts";
import type { Interval } from "../../policy/certify/bootstrap.ts";
import { type AdaptReport, adaptReport, gainsOverSeeds } from "../../simulate/adapt.ts";
import { openRuns } from "./runs.ts";

const SEED = 1;

/** Prints what personalisation gains for each scored user. */
export async function evalAdapt(setting: EvalSetting): Promise<void> {
  const { out, agent, model, list } = setting;
  const { name } = agent.definition;
  const adaptable = adaptableOf(setting);
  const { score } = wearerRoles(model.manifest.protocol, list);
  const report = await adapted(setting, adaptable);
  const { users, meanGain, interval, worst } = report;
  out.say(
    `${name}, adapted to ${users.length} ${list} users by ${adaptable.prior.centres.length} numbers each; second half of the recordings`,
  );
  const rows = users.map(({ user, asked, learned, decided, before, after }) => [
    user,
    asked.before,
    asked.after,
    learned,
    decided,
    percentText(before.model, 2),
    percentText(after.model, 2),
    percentText(before.shown, 2),
    percentText(after.shown, 2),
  ]);
  const head = ["user", "asked", "adapted", "learned", "changed", "model right", "adapted", "shown right", "adapted"];
  for (const line of table(head, rows)) out.say(line);
  out.say(meanLine(gainText(meanGain), interval, worst));
  out.document({ ...documentOf(setting, adaptable), ...report, imageHash: model.imageHash, scored: score });
}

/** Prints what personalisation gains with the image of each seed that `train` left in a folder. Throws what openRuns throws. */
export async function evalAdaptRuns(setting: EvalSetting, dir: string): Promise<void> {
  const { out, agent, list } = setting;
  const seeds = (await openRuns(setting, dir)).map((one) => ({ ...one, adaptable: adaptableOf(one.own) })); // all, before the work
  const runs: ({ readonly seed: number; readonly imageHash: string } & AdaptReport)[] = [];
  for (const { seed, own, adaptable } of seeds) {
    out.note(`Seed ${seed} …`);
    runs.push({ seed, imageHash: own.model.imageHash, ...(await adapted(own, adaptable)) });
  }
  const over = gainsOverSeeds(runs, createRandom(SEED));
  const { meanGain, interval, worst, users } = over;
  out.say(`${agent.definition.name}, adapted to ${users.length} ${list} users: gain of the shown labels in points`);
  const rows = users.map(({ user, gains, gain }) => [user, ...gains.map(gainText), gainText(gain)]);
  const means = ["mean", ...runs.map((run) => gainText(run.meanGain)), gainText(meanGain.mean)];
  for (const line of table(["user", ...runs.map(({ seed }) => `seed ${seed}`), "mean"], [...rows, means])) out.say(line);
  const sd = meanGain.sd === null ? "" : ` ± ${(100 * meanGain.sd).toFixed(2)}`;
  out.say(meanLine(`${gainText(meanGain.mean)}${sd}`, interval, worst));
  out.document({ ...documentOf(setting, seeds[0]!.adaptable), seeds: runs.map(({ seed }) => seed), ...over, runs });
}

function adapted(setting: EvalSetting, adaptable: Adaptable): Promise<AdaptReport> {
  const { out, model, list } = setting;
  out.note("Running the agent without and with personalisation …");
  return adaptReport(setting, wearerRoles(model.manifest.protocol, list).score, adaptable, createRandom(SEED));
}

/** Throws ADAPT_NO_PRIOR and what readPrior throws. */
function adaptableOf({ agent, model }: EvalSetting): Adaptable {
  return openAdaptable(agent.definition.name, model.image, agent.priorPath);
}

function documentOf({ agent, model }: EvalSetting, { prior }: Adaptable) {
  return { agent: agent.definition.name, protocol: "adapt", parameters: prior.centres.length, engine: model.engine };
}

function meanLine(gain: string, { level, low, high }: Interval, { user, gain: least }: AdaptReport["worst"]): string {
  const interval = `${percentText(level)} interval over users ${gainText(low)} to ${gainText(high)}`;
  return `mean gain ${gain} points (${interval}), worst user ${user}: ${gainText(least)}`;
}

/** A gain in percentage points. */
function gainText(gain: number): string {
  return pointsText(gain, 2);
}
