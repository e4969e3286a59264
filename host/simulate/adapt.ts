import { openTeacher } from "../cloud/open-teacher.ts";
import type { SubjectList } from "../core/image/image-types.ts";
import type { Random } from "../core/system/random.ts";
import type { EvalSetting } from "../eval/eval-setting.ts";
import { type Spread, spread } from "../eval/seed-summary.ts";
import { createPersonalizedSession } from "../personalize/personalized-session.ts";
import type { Adaptable } from "../personalize/prior.ts";
import { bootstrapInterval, type Interval } from "../policy/certify/bootstrap.ts";
import { countRecordings, runUser, usersOf } from "./as-shipped.ts";
import { createSimulatedCloud } from "./cloud.ts";
import type { RecordingsResult } from "./recordings-run.ts";

/** Accuracy in the second half of a user's recordings, transitions counted. */
export interface HalfAccuracy {
  readonly model: number; // of the model's own labels, the arbiter's choice included
  readonly shown: number; // of the shown labels: cloud answers and debounce included
}

/** What personalisation does for one user. */
export interface UserGain {
  readonly user: string;
  readonly decisions: number; // scored, in the second half
  readonly learned: number; // windows
  readonly decided: number; // decisions that the adapted head changed, in both halves
  readonly asked: { readonly before: number; readonly after: number }; // without and with personalisation, both halves
  readonly before: HalfAccuracy;
  readonly after: HalfAccuracy;
  readonly gain: number; // of `shown`
}

export interface AdaptReport {
  readonly users: readonly UserGain[];
  readonly meanGain: number; // over users
  readonly interval: Interval; // of the mean gain, users drawn with replacement
  readonly worst: { readonly user: string; readonly gain: number };
}

const BOOTSTRAP_DRAWS = 10_000;

/**
 * Runs the agent over each user's recordings twice, without and with personalisation from an empty adaptation, and scores the second
 * half. It adapts throughout, as `run --personalize` does.
 */
export async function adaptReport(setting: EvalSetting, users: SubjectList, adaptable: Adaptable, random: Random): Promise<AdaptReport> {
  const { agent, model } = setting;
  const cloud = createSimulatedCloud(await openTeacher(agent, model.engine));
  const gains: UserGain[] = [];
  const { onRecording, end } = countRecordings(setting, users, 2);
  for (const user of usersOf(setting, users)) {
    const personalized = createPersonalizedSession(model, adaptable);
    const plain = await runUser(setting, user, cloud, { onRecording });
    const own = await runUser(setting, user, cloud, { personalized, onRecording });
    const { learned, decided } = personalized.status();
    const [before, after] = [secondHalf(plain), secondHalf(own)];
    gains.push({
      user,
      decisions: own.halves[1].decisions,
      learned,
      decided,
      asked: { before: plain.counters.asked, after: own.counters.asked },
      before,
      after,
      gain: after.shown - before.shown,
    });
  }
  end();
  return { users: gains, meanGain: meanOf(gains.map(({ gain }) => gain)), ...spreadOver(gains, random) };
}

/** Gains over seeds; each seed scores the same users in the same order. */
export interface GainsOverSeeds {
  readonly meanGain: Spread; // over seeds
  readonly interval: Interval; // of the mean over users of each one's mean over seeds, users drawn with replacement
  readonly worst: { readonly user: string; readonly gain: number }; // of those means
  readonly users: readonly { readonly user: string; readonly gain: number; readonly gains: readonly number[] }[];
}

export function gainsOverSeeds(reports: readonly Pick<AdaptReport, "users" | "meanGain">[], random: Random): GainsOverSeeds {
  const users = reports[0]!.users.map(({ user }, i) => {
    const gains = reports.map((report) => report.users[i]!.gain);
    return { user, gain: meanOf(gains), gains };
  });
  return { meanGain: spread(reports.map(({ meanGain }) => meanGain)), ...spreadOver(users, random), users };
}

function spreadOver(users: readonly { readonly user: string; readonly gain: number }[], random: Random) {
  const { user, gain } = users.reduce((least, one) => (one.gain < least.gain ? one : least));
  const clusters = users.map((one) => ({ sum: one.gain, weight: 1 }));
  return { interval: bootstrapInterval(clusters, { random, draws: BOOTSTRAP_DRAWS }), worst: { user, gain } };
}

function secondHalf({ halves: [, { decisions, localRight, shownRight }] }: RecordingsResult): HalfAccuracy {
  const share = (count: number): number => count / Math.max(1, decisions);
  return { model: share(localRight), shown: share(shownRight) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
