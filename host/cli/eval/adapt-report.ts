import { type AdaptableImage, createAdapter } from "../../adapt/adapter.ts";
import { createLessons } from "../../adapt/lessons.ts";
import type { EvidencePrior } from "../../adapt/prior.ts";
import { createTrial } from "../../adapt/trial.ts";
import type { Evidence } from "../../core/image-types.ts";
import { bootstrapInterval, type Interval } from "../../policy/bootstrap.ts";
import { type CascadeDecision, type ExitWord, sureExit } from "../../policy/cascade.ts";

/** One decision with what an ask about it would carry, in the order of the recordings. */
export interface AdaptDecision extends CascadeDecision {
  readonly recording: number;
  readonly patch: number; // patches of the recording until then
  readonly context: Int8Array; // (≤ contextPatches, patchBytes), oldest first
}

/** One wearer's decisions, and how they turn out with other evidence. */
export interface AdaptWearer {
  readonly user: string;
  readonly decisions: readonly AdaptDecision[];
  /** Every exit's word at each of the decisions with this evidence; `after` the i-th, other evidence may take its place. */
  decideWith(evidence: Evidence, after?: (i: number, own: readonly ExitWord[]) => Evidence | undefined): readonly (readonly ExitWord[])[];
}

/** How a wearer's adapter learns. */
export interface AdaptSetting {
  readonly priorWindows: number;
  readonly leastConfidence: number;
}

/** Who learns what from which asks. */
export interface AdaptTask {
  readonly image: AdaptableImage & { readonly contextPatches: number };
  readonly prior: EvidencePrior;
  readonly thresholdsQ15: readonly number[]; // what is unsure under these is asked while learning
  readonly exploreEvery: number; // and so is each such of all decisions
}

/** What was decided in one half of a wearer's recordings. */
export interface HalfScore {
  readonly accuracy: number; // of the last exit's own words
  readonly answered: number; // share that an exit is sure of under the task's thresholds
  readonly wrong: number; // share of all: sure and wrong
}

/** What adaptation did for one wearer. */
export interface WearerGain {
  readonly user: string;
  readonly asked: number; // answers of the half that was learned from
  readonly explored: number; // of those: sure, and asked all the same
  readonly learned: number; // windows that the answers spoke for
  readonly windows: number; // of the other half, which is scored
  readonly disputed: number; // of those: image and wearer's evidence differ, and are asked about
  readonly own: number; // of those windows: decided by the wearer's own evidence
  readonly before: HalfScore;
  readonly after: HalfScore;
  readonly gain: number; // of accuracy
  readonly learnedHalf: { readonly before: HalfScore; readonly after: HalfScore }; // where it learned: what it has not forgotten
}

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
 * Adapts to each wearer on the first half of their recordings, and scores the second, where their own evidence must win its disputes
 * before it speaks. Without a setting everything stays as it is.
 */
export function adaptReport(
  wearers: readonly AdaptWearer[],
  task: AdaptTask,
  setting: AdaptSetting | undefined,
  random: { integer(n: number): number },
): AdaptReport {
  const gains = wearers.map((wearer) => gainOf(wearer, task, setting));
  const worst = gains.reduce((least, one) => (one.gain < least.gain ? one : least));
  return {
    wearers: gains,
    meanGain: mean(gains.map(({ gain }) => gain)),
    interval: bootstrapInterval(
      gains.map(({ gain }) => ({ sum: gain, weight: 1 })),
      { random, draws: BOOTSTRAP_DRAWS },
    ),
    worst: { user: worst.user, gain: worst.gain },
    before: meanScore(gains.map(({ before }) => before)),
    after: meanScore(gains.map(({ after }) => after)),
    learnedHalf: {
      before: meanScore(gains.map(({ learnedHalf }) => learnedHalf.before)),
      after: meanScore(gains.map(({ learnedHalf }) => learnedHalf.after)),
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

export function trySetting(wearers: readonly AdaptWearer[], task: AdaptTask, setting: AdaptSetting): TriedSetting {
  const own = wearers.map((wearer) => gainOf(wearer, task, setting));
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

function gainOf({ user, decisions, decideWith }: AdaptWearer, task: AdaptTask, setting: AdaptSetting | undefined): WearerGain {
  const adapter = createAdapter(task.image, task.prior, setting);
  const lessons = createLessons(adapter, task.image, setting);
  const isFirst = inFirstHalf(decisions);
  let asked = 0;
  let explored = 0;
  for (const [i, decision] of decisions.entries()) {
    if (!isFirst[i]) continue;
    if (decision.recording !== decisions[i - 1]?.recording) lessons.reset();
    lessons.decided(decision.exits.at(-1)!.label, decision.patch);
    const isUnsure = sureExit(decision, task.thresholdsQ15) < 0;
    if (!isUnsure && (i + 1) % task.exploreEvery !== 0) continue;
    asked++;
    if (!isUnsure) explored++;
    lessons.asked(String(i), decision.context);
    if (setting) lessons.ended(String(i), decision.cloud);
  }
  const words = decisions.map(({ exits }) => exits);
  const learned = lessons.windows;
  const taught = adapter.evidence();
  const kept = learned === 0 ? words : decideWith(taught);
  const trial = createTrial();
  const adapted = [...words];
  let disputed = 0;
  let own = 0;
  const after = (i: number, spoken: readonly ExitWord[]): Evidence | undefined => {
    if (isFirst[i]) return undefined;
    const { exits, cloud, recording, patch, context } = decisions[i]!;
    if (recording !== decisions[i - 1]?.recording) {
      trial.reset();
      lessons.reset();
    }
    if (trial.isOwn) {
      adapted[i] = spoken;
      own++;
    }
    const labels = { own: spoken.at(-1)!.label, image: exits.at(-1)!.label };
    lessons.decided(labels.image, patch);
    if (labels.own === labels.image) return undefined;
    disputed++;
    trial.dispute(labels, cloud.label);
    lessons.asked(String(i), context);
    return lessons.ended(String(i), cloud) > 0 ? adapter.evidence() : undefined;
  };
  if (learned > 0) decideWith(taught, after);
  const score = (all: readonly (readonly ExitWord[])[], isHalf: boolean): HalfScore =>
    scoreOf(
      decisions.flatMap((decision, i) => (isFirst[i] === isHalf ? [{ ...decision, exits: all[i]! }] : [])),
      task.thresholdsQ15,
    );
  const before = score(words, false);
  const adaptedScore = score(adapted, false);
  return {
    ...{ user, asked, explored, learned, disputed, own },
    ...{ windows: isFirst.filter((first) => !first).length, before, after: adaptedScore, gain: adaptedScore.accuracy - before.accuracy },
    learnedHalf: { before: score(words, true), after: score(kept, true) },
  };
}

/** Whether a decision is of the first half of a wearer's recordings; of a single recording, of the first half of its decisions. */
function inFirstHalf(decisions: readonly AdaptDecision[]): boolean[] {
  const recordings = [...new Set(decisions.map(({ recording }) => recording))];
  const first = new Set(recordings.slice(0, Math.ceil(recordings.length / 2)));
  return decisions.map(({ recording }, i) => (recordings.length === 1 ? i < Math.ceil(decisions.length / 2) : first.has(recording)));
}

function scoreOf(decisions: readonly CascadeDecision[], thresholdsQ15: readonly number[]): HalfScore {
  const share = (isTrue: (decision: CascadeDecision) => boolean): number => decisions.filter(isTrue).length / Math.max(1, decisions.length);
  return {
    accuracy: share(({ exits, truth }) => exits.at(-1)!.label === truth),
    answered: share((one) => sureExit(one, thresholdsQ15) >= 0),
    wrong: share((one) => {
      const exit = sureExit(one, thresholdsQ15);
      return exit >= 0 && one.exits[exit]!.label !== one.truth;
    }),
  };
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
