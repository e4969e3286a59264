import { createRandom } from "../../agent/random.ts";
import type { Model } from "../../core/model.ts";
import { apart } from "../../policy/decision-group.ts";
import { certifyThresholds } from "../../policy/learn-then-test.ts";
import { percentText, table } from "../table.ts";
import { type AdaptDecision, type AdaptSetting, type AskRule, adaptReport, chooseSetting, trySettings } from "./adapt-report.ts";
import type { CascadeOptions } from "./cascade.ts";
import { type DecidedGroup, decideAll, exitDecisionsOf, lastLogits, MIN_ANSWERED } from "./decide.ts";
import { type EvalSetting, wearerRoles } from "./setting.ts";

const SEED = 1;
/** Sure decisions that are asked all the same while learning: one in eight, so that every activity has answers. */
const EXPLORE_EVERY = 8;
/** What the worst tuning wearer may lose by the setting that is taken. */
const MOST_LOSS = 0.005;
/** Settings that are tried on the tuning wearers. */
const SETTINGS: readonly AdaptSetting[] = [0.03, 0.1, 0.3].flatMap((rate) =>
  [0, 0.01].flatMap((decay) => [0.5, 0.7, 0.9].map((leastConfidence) => ({ rate, decay, bound: 1, leastConfidence }))),
);
const OFF: AdaptSetting = { rate: 0, leastConfidence: 1 };

/**
 * Whether the cloud's answers make the device better for its own wearer: a correction of the last exit's head, learned from the answers
 * to the asks of the first half of the recordings, scored on the second, nothing asked there. The setting is chosen on the tuning wearers
 * (of whom the select ones were trained on); it stays off where they do not gain.
 */
export async function evalAdapt(setting: EvalSetting, { alpha, delta }: CascadeOptions): Promise<void> {
  const { out, agent, model, list } = setting;
  const roles = wearerRoles(model.manifest.protocol, list);
  const { scored, tuning, certifying } = await decideAll(setting, roles);
  const certificate = certifyThresholds([apart(exitDecisionsOf(certifying.all))], { alpha, delta, minAnswered: MIN_ANSWERED });
  const rule: AskRule = { thresholdsQ15: certificate.map(({ thresholdQ15 }) => thresholdQ15), exploreEvery: EXPLORE_EVERY };
  const tried = trySettings(
    tuning.flatMap((group) => adaptable(group, model)),
    rule,
    SETTINGS,
  );
  const chosen = chooseSetting(tried, MOST_LOSS);
  const report = adaptReport(adaptable(scored, model), rule, chosen ?? OFF, createRandom(SEED));
  const { wearers, meanGain, interval, worst, learnedHalf } = report;
  const { nClasses, dModel } = model.image;
  const document = {
    agent: agent.definition.name,
    protocol: "adapt",
    adapter: {
      kind: "linear correction of the last exit's head on its features",
      parameters: nClasses * (dModel + 1),
      isOn: chosen !== undefined,
      setting: chosen ?? null,
    },
    exploreEvery: EXPLORE_EVERY,
    ...report,
    tried,
    alpha,
    thresholds: rule.thresholdsQ15.map((q15) => q15 / 32768),
    engine: model.engine,
    imageHash: model.imageHash,
    users: { score: roles.score, tune: roles.tune.flat(), certify: roles.certify },
  };
  const { isOn, parameters } = document.adapter;
  out.say(`${document.agent}, adapted to ${wearers.length} ${list} wearers by ${parameters} numbers each`);
  out.say(isOn ? `setting, chosen on other wearers: ${settingText(chosen!)}` : "stays off: no setting helps the other wearers");
  const percent = (share: number): string => percentText(share, 2);
  const rows = wearers.map(({ user, asked, explored, learned, before, after }) => [
    user,
    ...[asked, explored, learned],
    ...[percent(before), percent(after)],
  ]);
  for (const line of table(["wearer", "asked", "of these explored", "learned from", "before", "after"], rows)) out.say(line);
  out.say(
    `mean gain ${percent(meanGain)} (${percent(interval.low)} to ${percent(interval.high)}), worst wearer ${worst.user}: ${percent(worst.gain)}`,
  );
  out.say(`where it learned: ${percent(learnedHalf.before)} before, ${percent(learnedHalf.after)} after`);
  out.document(document);
}

function settingText({ rate, decay, bound, leastConfidence }: AdaptSetting): string {
  return `step ${rate}, decay ${decay}, bound ${bound}, answers from a confidence of ${leastConfidence}`;
}

function adaptable({ edge, all }: DecidedGroup, model: Model): AdaptDecision[] {
  const logits = lastLogits({ edge, all }, model);
  return all.map((decision, i) => ({ ...decision, logits: logits[i]!, features: edge[i]!.features, recording: edge[i]!.recording }));
}
