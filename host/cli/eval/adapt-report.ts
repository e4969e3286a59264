import { type AdaptSetting, type AdaptTask, type AdaptWearer, adaptTo, type HalfScore, type WearerGain } from "../../eval/adapt-wearer.ts";
import { bootstrapInterval, type Interval } from "../../policy/certify/bootstrap.ts";

export interface AdaptReport {
  readonly wearers: readonly WearerGain[];
  readonly meanGain: number;
  readonly interval: Interval; // of the mean gain, wearers drawn with replacement
  readonly worst: { readonly user: string; readonly gain: number };
  readonly before: HalfScore; // means over wearers
  readonly after: HalfScore;
  readonly learnedHalf: { readonly before: HalfScore; readonly after: HalfScore };
}

const BOOTSTRAP_DRAWS = 10_000;

/**
 * Adapts to each wearer on the first half of their recordings, and scores the second, where their own evidence must be sure or
 * win its disputes before it decides. Without a setting everything stays as it is.
 */
export function adaptReport(
  wearers: readonly AdaptWearer[],
  task: AdaptTask,
  setting: AdaptSetting | undefined,
  random: { integer(n: number): number },
): AdaptReport {
  const gains = wearers.map((wearer) => adaptTo(wearer, task, setting));
  return {
    wearers: gains,
    meanGain: mean(gains.map(({ gain }) => gain)),
    ...gainsOver(gains, random),
    before: meanScore(gains.map(({ before }) => before)),
    after: meanScore(gains.map(({ after }) => after)),
    learnedHalf: {
      before: meanScore(gains.map(({ learnedHalf }) => learnedHalf.before)),
      after: meanScore(gains.map(({ learnedHalf }) => learnedHalf.after)),
    },
  };
}

/** How sure the wearers' mean gain is, and who gains least. */
export function gainsOver(
  wearers: readonly { readonly user: string; readonly gain: number }[],
  random: { integer(n: number): number },
): Pick<AdaptReport, "interval" | "worst"> {
  const { user, gain } = wearers.reduce((least, one) => (one.gain < least.gain ? one : least));
  const interval = bootstrapInterval(
    wearers.map((one) => ({ sum: one.gain, weight: 1 })),
    { random, draws: BOOTSTRAP_DRAWS },
  );
  return { interval, worst: { user, gain } };
}

/** What a setting does to the tuning wearers. */
export interface TriedSetting {
  readonly setting: AdaptSetting;
  readonly tuningGain: number; // mean over wearers
  readonly tuningError: number; // standard error of that mean
  readonly tuningWorst: number;
  readonly tuningLearnedHalf: number; // mean gain where it learned: below 0, it forgets
}

export function trySetting(wearers: readonly AdaptWearer[], task: AdaptTask, setting: AdaptSetting): TriedSetting {
  const own = wearers.map((wearer) => adaptTo(wearer, task, setting));
  const gains = own.map(({ gain }) => gain);
  const tuningGain = mean(gains);
  const variance = gains.reduce((sum, gain) => sum + (gain - tuningGain) ** 2, 0) / Math.max(1, gains.length - 1);
  return {
    setting,
    tuningGain,
    tuningError: Math.sqrt(variance / gains.length),
    tuningWorst: Math.min(...gains),
    tuningLearnedHalf: mean(own.map(({ learnedHalf }) => learnedHalf.after.accuracy - learnedHalf.before.accuracy)),
  };
}

/**
 * The setting of the largest gain over both halves together, of those that gain and by which no wearer loses more than `mostLoss`, nor the
 * wearers together in the half that was learned from. Ties go to the first; undefined (stay off) if there is none.
 */
export function chooseSetting(tried: readonly TriedSetting[], mostLoss: number): AdaptSetting | undefined {
  const harmless = tried.filter(
    ({ tuningGain, tuningWorst, tuningLearnedHalf }) => tuningGain > 0 && Math.min(tuningWorst, tuningLearnedHalf) >= -mostLoss,
  );
  const both = ({ tuningGain, tuningLearnedHalf }: TriedSetting): number => tuningGain + tuningLearnedHalf;
  return harmless.sort((a, b) => both(b) - both(a))[0]?.setting;
}

function meanScore(scores: readonly HalfScore[]): HalfScore {
  return {
    accuracy: mean(scores.map(({ accuracy }) => accuracy)),
    answered: mean(scores.map(({ answered }) => answered)),
    wrong: mean(scores.map(({ wrong }) => wrong)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
