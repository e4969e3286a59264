import type { SubjectList } from "../../core/image/image-types.ts";
import { createRandom } from "../../core/system/random.ts";
import { percentText, pointsText, table } from "../../core/system/table.ts";
import type { AdaptSetting, AdaptTask, AdaptWearer, HalfScore } from "../../eval/adapt-wearer.ts";
import { type DecidedGroup, decideAll } from "../../eval/decide.ts";
import { type EvalSetting, recordingsFor, type WearerRoles, wearerRoles } from "../../eval/eval-setting.ts";
import { fullDepth, streamMoments } from "../../eval/protocols.ts";
import { exitsOf } from "../../eval/stream-decisions.ts";
import { type Adaptable, openAdaptable } from "../../personalize/open-prior.ts";
import { EXPLORE_EVERY } from "../../personalize/wearer.ts";
import type { Interval } from "../../policy/certify/bootstrap.ts";
import { type AdaptReport, adaptReport, chooseSetting, type TriedSetting, trySetting } from "./adapt-report.ts";
import { adaptAsShipped } from "./as-shipped.ts";

export const SEED = 1;
/** What the worst tuning wearer may lose by the setting that is taken. */
const MOST_LOSS = 0.005;
/** Settings that are tried on the tuning wearers. */
const SETTINGS: readonly AdaptSetting[] = [25, 50, 100].flatMap((priorWindows) =>
  [0.5, 0.7, 0.9].map((leastConfidence) => ({ priorWindows, leastConfidence })),
);

/** What adaptation does with one image. */
export interface Adapted {
  readonly report: AdaptReport;
  readonly tried: readonly TriedSetting[];
  readonly chosen: AdaptSetting | undefined; // it stays off
  readonly parameters: number; // a wearer's
  readonly thresholds: readonly number[];
  readonly roles: WearerRoles;
}

/**
 * Whether the cloud's answers make the device better for its own wearer: evidence of their own, learned from the answers to the asks of
 * the first half of the recordings, scored on the second, where only what the two kinds of evidence dispute is asked, and taught. What is
 * in doubt the image's own thresholds say, as on a device. The setting is chosen on the tuning wearers (of whom the select ones were trained
 * on); it stays off where they do not gain.
 */
export async function adapted(setting: EvalSetting, { image, prior }: Adaptable): Promise<Adapted> {
  const { out, model, list } = setting;
  const roles = wearerRoles(model.manifest.protocol, list);
  const { scored, tuning } = await decideAll(setting, roles);
  const task: AdaptTask = { image, prior, thresholdsQ15: image.exits.map(({ threshold }) => threshold), exploreEvery: EXPLORE_EVERY };
  const tuningWearers = tuning.flatMap((group, i) => wearersOf(setting, image, roles.tune[i]!, group));
  const tried = SETTINGS.map((one) => {
    out.note(`Trying ${settingText(one)} …`);
    return trySetting(tuningWearers, task, one);
  });
  const chosen = chooseSetting(tried, MOST_LOSS);
  const report = adaptReport(wearersOf(setting, image, roles.score, scored), task, chosen, createRandom(SEED));
  const thresholds = task.thresholdsQ15.map((q15) => q15 / 32768);
  return { ...{ report, tried, chosen, roles, thresholds }, parameters: prior.centres.length };
}

/** Throws ADAPT_NO_PRIOR and what readPrior throws. */
export function adaptableOf({ agent, model }: EvalSetting): Adaptable {
  return openAdaptable(agent.definition.name, model.image, agent.priorPath);
}

/** Adapts the agent's image to each of its scored wearers, and says what they gain. */
export async function evalAdapt(setting: EvalSetting): Promise<void> {
  const { out, agent, model, list } = setting;
  const adaptable = adaptableOf(setting);
  const { report, tried, chosen, parameters, thresholds, roles } = await adapted(setting, adaptable);
  const asShipped = await adaptAsShipped(setting, roles.score, adaptable);
  const { wearers, meanGain, interval, worst, before, after, learnedHalf } = report;
  const { name } = agent.definition;
  const isOn = chosen !== undefined;
  const document = {
    agent: name,
    protocol: "adapt",
    adapter: { kind: "where each class lies in the statistics that evidence weighs", parameters, isOn, setting: chosen ?? null },
    exploreEvery: EXPLORE_EVERY,
    ...report,
    tried,
    asShipped,
    thresholds,
    engine: model.engine,
    imageHash: model.imageHash,
    users: { score: roles.score, tune: roles.tune.flat() },
  };
  out.say(`${name}, adapted to ${wearers.length} ${list} wearers by ${parameters} numbers each`);
  out.say(isOn ? `setting, chosen on other wearers: ${settingText(chosen)}` : "stays off: no setting helps the other wearers");
  const percent = (share: number): string => percentText(share, 2);
  const rows = wearers.map((one) => [
    one.user,
    ...[one.asked, one.explored, one.learned, one.disputed, one.own],
    ...[percent(one.before.accuracy), percent(one.after.accuracy)],
  ]);
  for (const line of table(
    ["wearer", "asked", "of these explored", "windows learned", "disputed", "by own evidence", "before", "after"],
    rows,
  ))
    out.say(line);
  out.say(`mean gain ${gainText(meanGain)} points (${intervalText(interval)}), worst wearer ${worst.user}: ${gainText(worst.gain)}`);
  const scoreText = ({ accuracy, answered, wrong }: HalfScore): string =>
    `${percent(accuracy)} right (sure of ${percent(answered)}, of all ${percent(wrong)} wrongly)`;
  out.say(`means over wearers: ${scoreText(before)} before, ${scoreText(after)} after`);
  out.say(`where it learned: ${scoreText(learnedHalf.before)} before, ${scoreText(learnedHalf.after)} after`);
  out.say(
    `as it ships, shown labels of the second half: ${gainText(asShipped.meanGain)} points, asked ${asShipped.asked.before} times without and ${asShipped.asked.after} with personalisation`,
  );
  out.document(document);
}

/** A gain in points of per cent, as the card has it. */
export function gainText(gain: number): string {
  return pointsText(gain, 2);
}

export function intervalText({ level, low, high }: Interval): string {
  return `${percentText(level)} interval over wearers ${gainText(low)} to ${gainText(high)}`;
}

export function settingText({ priorWindows, leastConfidence }: AdaptSetting): string {
  return `${priorWindows} windows of a class move it half-way, answers from a confidence of ${leastConfidence}`;
}

/** The wearers of a group of decisions, able to stream their recordings again. */
function wearersOf(setting: EvalSetting, image: Adaptable["image"], users: SubjectList, { edge, all }: DecidedGroup): AdaptWearer[] {
  const { patchFrames } = image;
  const decisions = all.map((decision, i) => {
    const { recording, frame, context } = edge[i]!;
    return { ...decision, recording, context, patch: Math.floor((frame + 1) / patchFrames) };
  });
  return [...new Set(decisions.map(({ wearer }) => wearer))].map((user) => ({
    user,
    decisions: decisions.filter(({ wearer }) => wearer === user),
    decideWith(lda, after) {
      const session = fullDepth(setting.model.createSession());
      session.setLda(lda);
      const recordings = recordingsFor(setting, users).filter(({ subject }) => subject === user);
      let i = 0;
      for (const { logits, scores, isSmoothed } of streamMoments(session, image, recordings)) {
        const next = after(i++, exitsOf(image, logits, scores, isSmoothed));
        if (next) session.setLda(next);
      }
    },
  }));
}
