import { createRandom } from "../../agent/random.ts";
import type { Model } from "../../core/model.ts";
import { certifyThresholds } from "../../policy/learn-then-test.ts";
import { percentText, table } from "../table.ts";
import { type AdaptDecision, adaptReport, chooseRate } from "./adapt-report.ts";
import type { CascadeOptions } from "./cascade.ts";
import { type DecidedGroup, decideAll, exitDecisionsOf, lastLogits, MIN_ANSWERED } from "./decide.ts";
import { type EvalSetting, wearerRoles } from "./setting.ts";

const SEED = 1;
/** Steps that are tried on the tuning wearers. */
const RATES = [0.01, 0.03, 0.1, 0.3, 1];
/** What the worst tuning wearer may lose by the step that is taken. */
const MOST_LOSS = 0.005;

/**
 * Whether the cloud's answers make the device better for its own wearer: an affine map on the last exit's logits (the session gives no
 * features of the exit), learned from the answers to the asks of the first half of the recordings, scored on the second, nothing asked.
 */
export async function evalAdapt(setting: EvalSetting, { alpha, delta }: CascadeOptions): Promise<void> {
  const { out, agent, model, list } = setting;
  const roles = wearerRoles(model.manifest.protocol, list);
  const { scored, tuning, certifying } = await decideAll(setting, roles);
  const certificate = certifyThresholds([exitDecisionsOf(certifying.all)], { alpha, delta, minAnswered: MIN_ANSWERED });
  const thresholds = certificate.map(({ thresholdQ15 }) => thresholdQ15);
  const groups = tuning.map((group) => adaptable(group, model));
  const rate = chooseRate(groups, thresholds, RATES, MOST_LOSS, createRandom(SEED));
  const own = adaptable(scored, model);
  const { wearers, meanGain, interval, worst } = adaptReport(own, thresholds, { rate }, createRandom(SEED));
  const classes = model.image.nClasses;
  const document = {
    agent: agent.definition.name,
    protocol: "adapt",
    adapter: { kind: "affine map on the last exit's logits", parameters: classes * (classes + 1), rate, isOn: rate > 0 },
    meanGain,
    interval,
    worst,
    wearers,
    tried: RATES.map((tried) => {
      const { meanGain: gain, worst: least } = adaptReport(groups.flat(), thresholds, { rate: tried }, createRandom(SEED));
      return { rate: tried, tuningGain: gain, tuningWorst: least.gain };
    }),
    alpha,
    thresholds: thresholds.map((q15) => q15 / 32768),
    engine: model.engine,
    imageHash: model.imageHash,
    users: { score: roles.score, tune: roles.tune.flat(), certify: roles.certify },
  };
  out.say(`${document.agent}, adapted to ${wearers.length} ${list} wearers by ${document.adapter.parameters} numbers each, step ${rate}`);
  const rows = wearers.map(({ user, asked, learned, before, after }) => [
    user,
    asked,
    learned,
    percentText(before, 2),
    percentText(after, 2),
  ]);
  for (const line of table(["wearer", "asked", "learned from", "before", "after"], rows)) out.say(line);
  out.say(
    `mean gain ${percentText(meanGain, 2)} (${percentText(interval.low, 2)} to ${percentText(interval.high, 2)}), ` +
      `worst wearer ${worst.user}: ${percentText(worst.gain, 2)}`,
  );
  out.document(document);
}

function adaptable(group: DecidedGroup, model: Model): AdaptDecision[] {
  const logits = lastLogits(group, model);
  return group.all.map((decision, i) => ({ ...decision, logits: logits[i]!, recording: group.edge[i]!.recording }));
}
