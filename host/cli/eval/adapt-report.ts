import { type AdapterOptions, createAdapter, type ExitOutput } from "../../policy/adapter.ts";
import { bootstrapInterval, type Interval } from "../../policy/bootstrap.ts";
import { type CascadeDecision, sureExit } from "../../policy/cascade.ts";
import { largest } from "../../policy/softmax.ts";
import { isCloudSurer } from "../../policy/word.ts";

/** One decision with what the last exit's head read and said, and the recording that it is of. */
export interface AdaptDecision extends CascadeDecision, ExitOutput {
  readonly recording: number;
}

/** How a wearer's adapter learns. */
export interface AdaptSetting extends AdapterOptions {
  /** Answers less sure than this teach nothing; nor do those that the device is surer than. */
  readonly leastConfidence: number;
}

/** What is asked while learning: the decisions that are unsure under `thresholdsQ15`, and each `exploreEvery`th of all. */
export interface AskRule {
  readonly thresholdsQ15: readonly number[];
  readonly exploreEvery: number;
}

/** What adaptation did for one wearer. Accuracies are of the last exit, nothing asked. */
export interface WearerGain {
  readonly user: string;
  readonly asked: number; // answers of the half that was learned from
  readonly explored: number; // of those: sure, and asked all the same
  readonly learned: number; // of those asked: the cloud was sure enough, and surer than the device
  readonly windows: number; // of the other half, which is scored
  readonly before: number;
  readonly after: number;
  readonly gain: number;
  readonly learnedHalf: { readonly before: number; readonly after: number }; // where it learned: what it has not forgotten
}

export interface AdaptReport {
  readonly wearers: readonly WearerGain[];
  readonly meanGain: number;
  readonly interval: Interval; // of the mean gain, wearers drawn with replacement
  readonly worst: { readonly user: string; readonly gain: number };
  readonly learnedHalf: { readonly before: number; readonly after: number }; // means over wearers
}

const BOOTSTRAP_DRAWS = 10_000;

/** Adapts to each wearer on the first half of their recordings, and scores the second. */
export function adaptReport(
  decisions: readonly AdaptDecision[],
  rule: AskRule,
  setting: AdaptSetting,
  random: { integer(n: number): number },
): AdaptReport {
  const wearers = wearersOf(decisions, rule, setting);
  const worst = wearers.reduce((least, one) => (one.gain < least.gain ? one : least));
  return {
    wearers,
    meanGain: mean(wearers.map(({ gain }) => gain)),
    interval: bootstrapInterval(
      wearers.map(({ gain }) => ({ sum: gain, weight: 1 })),
      { random, draws: BOOTSTRAP_DRAWS },
    ),
    worst: { user: worst.user, gain: worst.gain },
    learnedHalf: {
      before: mean(wearers.map(({ learnedHalf }) => learnedHalf.before)),
      after: mean(wearers.map(({ learnedHalf }) => learnedHalf.after)),
    },
  };
}

/** What a setting does to the tuning wearers. */
export interface TriedSetting {
  readonly setting: AdaptSetting;
  readonly tuningGain: number; // mean over wearers
  readonly tuningError: number; // standard error of that mean
  readonly tuningWorst: number;
  readonly tuningLearnedHalf: number; // mean gain where it learned: below 0, it forgets
}

export function trySettings(decisions: readonly AdaptDecision[], rule: AskRule, settings: readonly AdaptSetting[]): TriedSetting[] {
  return settings.map((setting) => {
    const wearers = wearersOf(decisions, rule, setting);
    const gains = wearers.map(({ gain }) => gain);
    const tuningGain = mean(gains);
    const variance = gains.reduce((sum, gain) => sum + (gain - tuningGain) ** 2, 0) / Math.max(1, gains.length - 1);
    return {
      setting,
      tuningGain,
      tuningError: Math.sqrt(variance / gains.length),
      tuningWorst: Math.min(...gains),
      tuningLearnedHalf: mean(wearers.map(({ learnedHalf }) => learnedHalf.after - learnedHalf.before)),
    };
  });
}

/**
 * The setting of the largest mean gain, of those whose gain is above its standard error and by which no wearer loses more than `mostLoss`,
 * nor the wearers together in the half that was learned from. Ties go to the first; undefined (stay off) if there is none.
 */
export function chooseSetting(tried: readonly TriedSetting[], mostLoss: number): AdaptSetting | undefined {
  const harmless = tried.filter(
    ({ tuningGain, tuningError, tuningWorst, tuningLearnedHalf }) =>
      tuningGain > tuningError && Math.min(tuningWorst, tuningLearnedHalf) >= -mostLoss,
  );
  return harmless.sort((a, b) => b.tuningGain - a.tuningGain)[0]?.setting;
}

function wearersOf(decisions: readonly AdaptDecision[], rule: AskRule, setting: AdaptSetting): WearerGain[] {
  const users = [...new Set(decisions.map(({ wearer }) => wearer))];
  return users.map((user) =>
    gainOf(
      user,
      decisions.filter(({ wearer }) => wearer === user),
      rule,
      setting,
    ),
  );
}

function gainOf(user: string, own: readonly AdaptDecision[], rule: AskRule, setting: AdaptSetting): WearerGain {
  const adapter = createAdapter(own[0]!.logits.length, own[0]!.features.length, setting);
  const [first, second] = halves(own);
  let asked = 0;
  let explored = 0;
  let learned = 0;
  first.forEach((decision, i) => {
    const isUnsure = sureExit(decision, rule.thresholdsQ15) < 0;
    if (!isUnsure && (i + 1) % rule.exploreEvery !== 0) return;
    asked++;
    if (!isUnsure) explored++;
    const { confidence } = decision.cloud;
    if (setting.rate === 0 || confidence < setting.leastConfidence) return;
    if (!isCloudSurer(confidence, decision.exits.at(-1)!.confidenceQ15)) return;
    learned++;
    adapter.learn(decision, decision.cloud);
  });
  const score = (half: readonly AdaptDecision[]): { before: number; after: number } => ({
    before: shareOf(half, ({ exits, truth }) => exits.at(-1)!.label === truth),
    after: shareOf(half, (one) => (learned === 0 ? one.exits.at(-1)!.label : largest(adapter.apply(one))) === one.truth),
  });
  const { before, after } = score(second);
  return { user, asked, explored, learned, windows: second.length, before, after, gain: after - before, learnedHalf: score(first) };
}

/** The first half of a wearer's recordings and the rest; of a single recording, its decisions in the middle. */
function halves(own: readonly AdaptDecision[]): [readonly AdaptDecision[], readonly AdaptDecision[]] {
  const recordings = [...new Set(own.map(({ recording }) => recording))];
  if (recordings.length === 1) return [own.slice(0, Math.ceil(own.length / 2)), own.slice(Math.ceil(own.length / 2))];
  const learnedFrom = new Set(recordings.slice(0, Math.ceil(recordings.length / 2)));
  return [own.filter(({ recording }) => learnedFrom.has(recording)), own.filter(({ recording }) => !learnedFrom.has(recording))];
}

function shareOf(decisions: readonly AdaptDecision[], isTrue: (decision: AdaptDecision) => boolean): number {
  return decisions.filter(isTrue).length / Math.max(1, decisions.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
