import type { Lda } from "../core/image/image-types.ts";
import { type AdaptableImage, type Adapter, createAdapter } from "../personalize/adapter.ts";
import { createLessons, type Lessons } from "../personalize/lessons.ts";
import type { LdaPrior } from "../personalize/prior.ts";
import { createTrial } from "../personalize/trial.ts";
import { type CascadeDecision, type ExitWord, sureExit } from "../policy/certify/cascade.ts";

/** One decision with what an ask about it would carry, in the order of the recordings. */
export interface AdaptDecision extends CascadeDecision {
  readonly recording: number;
  readonly patch: number; // patches of the recording until then
  readonly context: Int8Array; // (≤ contextPatches, patchBytes), oldest first
}

/** One wearer's decisions, and how they turn out with another LDA head. */
export interface AdaptWearer {
  readonly user: string;
  readonly decisions: readonly AdaptDecision[];
  /** Tells `after` every exit's word at each of the decisions with this LDA head, or with what it gave back at one before. */
  decideWith(lda: Lda, after: (i: number, own: readonly ExitWord[]) => Lda | undefined): void;
}

/** How a wearer's adapter learns. */
export interface AdaptSetting {
  readonly priorWindows: number;
  readonly leastConfidence: number;
}

/** Who learns what from which asks. */
export interface AdaptTask {
  readonly image: AdaptableImage & { readonly contextPatches: number };
  readonly prior: LdaPrior;
  readonly thresholdsQ15: readonly number[]; // the image's: what is unsure under these is asked, and may be disputed
  readonly exploreEvery: number; // and so is each such of all decisions
}

/** What was decided in one half of a wearer's recordings. */
export interface HalfScore {
  readonly accuracy: number; // of the last exit's own words, and of the wearer's own evidence where that decides
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
  readonly disputed: number; // of those: in doubt, image and wearer's evidence differ, and are asked about
  readonly own: number; // of those windows: in doubt and decided by the wearer's own evidence
  readonly before: HalfScore;
  readonly after: HalfScore;
  readonly gain: number; // of accuracy
  readonly learnedHalf: { readonly before: HalfScore; readonly after: HalfScore }; // where it learned: what it has not forgotten
}

/** Adapts to one wearer. */
export function adaptTo(wearer: AdaptWearer, task: AdaptTask, setting: AdaptSetting | undefined): WearerGain {
  const { user, decisions } = wearer;
  const adapter = createAdapter(task.image, task.prior, setting);
  const lessons = createLessons(adapter, task.image, setting);
  const isFirst = inFirstHalf(decisions);
  const asks = learn(decisions, isFirst, task, lessons, setting !== undefined);
  const learned = lessons.windows;
  const words = decisions.map(({ exits }) => exits);
  const { adapted, ...second } = learned === 0 ? { adapted: words, disputed: 0, own: 0 } : decide(wearer, task, isFirst, adapter, lessons);
  const score = (all: readonly (readonly ExitWord[])[], isHalf: boolean): HalfScore =>
    scoreOf(
      decisions.flatMap((decision, i) => (isFirst[i] === isHalf ? [{ ...decision, exits: all[i]! }] : [])),
      task.thresholdsQ15,
    );
  const before = score(words, false);
  const after = score(adapted, false);
  return {
    ...{ user, ...asks, learned, ...second },
    ...{ windows: isFirst.filter((first) => !first).length, before, after, gain: after.accuracy - before.accuracy },
    learnedHalf: { before: score(words, true), after: score(adapted, true) },
  };
}

/** The first half: asks what is in doubt and what is explored, and learns from the answers unless it is off. */
function learn(
  decisions: readonly AdaptDecision[],
  isFirst: readonly boolean[],
  { thresholdsQ15, exploreEvery }: AdaptTask,
  lessons: Lessons,
  isOn: boolean,
): Pick<WearerGain, "asked" | "explored"> {
  let asked = 0;
  let explored = 0;
  for (const [i, decision] of decisions.entries()) {
    if (!isFirst[i]) continue;
    if (decision.recording !== decisions[i - 1]?.recording) lessons.reset();
    lessons.decided(decision.exits.at(-1)!.label, decision.patch);
    const isUnsure = sureExit(decision, thresholdsQ15) < 0;
    if (!isUnsure && (i + 1) % exploreEvery !== 0) continue;
    asked++;
    if (!isUnsure) explored++;
    lessons.asked(String(i), decision.context);
    if (isOn) lessons.ended(String(i), decision.cloud);
  }
  return { asked, explored };
}

/**
 * What becomes of the decisions; what the image is sure of stays. The first half is decided anew with all that was learned there, and
 * without disputes; the second comes in order, each decision before the answer to its dispute.
 */
function decide(
  { decisions, decideWith }: AdaptWearer,
  { thresholdsQ15 }: AdaptTask,
  isFirst: readonly boolean[],
  adapter: Adapter,
  lessons: Lessons,
): Pick<WearerGain, "disputed" | "own"> & { readonly adapted: readonly (readonly ExitWord[])[] } {
  const trial = createTrial();
  const adapted = decisions.map(({ exits }) => exits);
  let disputed = 0;
  let own = 0;
  decideWith(adapter.lda(), (i, spoken) => {
    const { exits, cloud, recording, patch, context } = decisions[i]!;
    if (recording !== decisions[i - 1]?.recording) {
      trial.reset();
      lessons.reset();
    }
    const sure = sureExit({ exits: spoken }, thresholdsQ15);
    const word = spoken.at(sure)!; // of the exit that answers; of the last where none is sure (−1)
    const labels = { own: word.label, image: exits.at(-1)!.label };
    const isUnsure = sureExit({ exits }, thresholdsQ15) < 0;
    const isOwn = isUnsure && trial.decides(labels, sure >= 0);
    if (isOwn) adapted[i] = spoken.map(() => word);
    if (isFirst[i]) return undefined;
    if (isOwn) own++;
    lessons.decided(labels.image, patch);
    if (!isUnsure || labels.own === labels.image) return undefined;
    disputed++;
    trial.dispute(labels, cloud.label);
    lessons.asked(String(i), context);
    return lessons.ended(String(i), cloud) > 0 ? adapter.lda() : undefined;
  });
  return { adapted, disputed, own };
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
