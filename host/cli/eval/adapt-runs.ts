import { createRandom } from "../../core/system/random.ts";
import { percentText, table } from "../../core/system/table.ts";
import type { WearerGain } from "../../eval/adapt-wearer.ts";
import type { EvalSetting } from "../../eval/eval-setting.ts";
import { type Spread, spread } from "../../eval/seed-summary.ts";
import { EXPLORE_EVERY } from "../../personalize/wearer.ts";
import type { Interval } from "../../policy/certify/bootstrap.ts";
import { type Adapted, adaptableOf, adapted, gainText, intervalText, SEED, settingText } from "./adapt.ts";
import { gainsOver } from "./adapt-report.ts";
import { openRuns } from "./runs.ts";

interface SeedGains {
  readonly seed: number;
  readonly meanGain: number;
  readonly wearers: readonly Pick<WearerGain, "user" | "gain" | "before">[];
}

/** What adaptation does over seeds; the wearers of each are the same, in the same order. */
export interface GainsOverSeeds {
  readonly meanGain: Spread; // over seeds
  readonly interval: Interval; // of the mean over wearers, drawn with replacement, of each one's mean over seeds
  readonly worst: { readonly user: string; readonly gain: number }; // of those means
  readonly worstOfSeeds: { readonly seed: number; readonly user: string; readonly gain: number };
  readonly wearers: readonly {
    readonly user: string;
    readonly beforeAccuracy: number;
    readonly gain: number;
    readonly gains: readonly number[];
  }[];
}

export function gainsOverSeeds(runs: readonly SeedGains[], random: { integer(n: number): number }): GainsOverSeeds {
  const wearers = runs[0]!.wearers.map(({ user }, i) => {
    const own = runs.map((run) => run.wearers[i]!);
    const gains = own.map(({ gain }) => gain);
    return { user, beforeAccuracy: spread(own.map(({ before }) => before.accuracy)).mean, gain: spread(gains).mean, gains };
  });
  const all = runs.flatMap(({ seed, wearers: own }) => own.map(({ user, gain }) => ({ seed, user, gain })));
  return {
    meanGain: spread(runs.map(({ meanGain }) => meanGain)),
    ...gainsOver(wearers, random),
    worstOfSeeds: all.reduce((least, one) => (one.gain < least.gain ? one : least)),
    wearers,
  };
}

/** Adapts the image of every seed that `train` left in a folder to each scored wearer; the cloud is the agent's own. Throws what openRuns throws. */
export async function evalAdaptRuns(setting: EvalSetting, dir: string): Promise<void> {
  const { out, agent, list } = setting;
  const { name } = agent.definition;
  const seeds = (await openRuns(setting, dir)).map((one) => ({ ...one, adaptable: adaptableOf(one.own) })); // all, before the work
  const runs: ({ readonly seed: number; readonly imageHash: string } & Adapted)[] = [];
  for (const { seed, own, adaptable } of seeds) {
    out.note(`Seed ${seed} …`);
    runs.push({ seed, imageHash: own.model.imageHash, ...(await adapted(own, adaptable)) });
  }
  const over = gainsOverSeeds(
    runs.map(({ seed, report }) => ({ seed, ...report })),
    createRandom(SEED),
  );
  const { meanGain, interval, worst, worstOfSeeds, wearers } = over;
  const document = {
    agent: name,
    protocol: "adapt",
    seeds: runs.map(({ seed }) => seed),
    exploreEvery: EXPLORE_EVERY,
    ...over,
    runs: runs.map(({ seed, imageHash, chosen, report: { wearers: _, ...report } }) => ({
      ...{ seed, imageHash, adapter: { isOn: chosen !== undefined, setting: chosen ?? null } },
      ...report,
    })),
    engine: setting.model.engine,
    users: { score: runs[0]!.roles.score, tune: runs[0]!.roles.tune.flat() },
  };
  out.say(`${name}, adapted to ${wearers.length} ${list} wearers: what each gains, in points; before it, on average over seeds`);
  const rows = wearers.map((one) => [one.user, percentText(one.beforeAccuracy, 2), ...one.gains.map(gainText), gainText(one.gain)]);
  const means = ["mean", "", ...runs.map(({ report }) => gainText(report.meanGain)), gainText(meanGain.mean)];
  for (const line of table(["wearer", "before", ...runs.map(({ seed }) => `seed ${seed}`), "mean"], [...rows, means])) out.say(line);
  for (const { seed, chosen } of runs)
    out.say(`seed ${seed}: ${chosen ? settingText(chosen) : "stays off, no setting helps the other wearers"}`);
  const sd = meanGain.sd === null ? "" : ` ± ${(100 * meanGain.sd).toFixed(2)}`;
  out.say(
    `mean gain ${gainText(meanGain.mean)}${sd} points (${intervalText(interval)}), worst wearer ${worst.user}: ${gainText(worst.gain)}`,
  );
  out.say(`worst of any seed: wearer ${worstOfSeeds.user} with seed ${worstOfSeeds.seed}: ${gainText(worstOfSeeds.gain)}`);
  out.document(document);
}
