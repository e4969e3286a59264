import { type AdapterOptions, createAdapter } from "../../policy/adapter.ts";
import { bootstrapInterval, type Interval } from "../../policy/bootstrap.ts";
import { type CascadeDecision, sureExit } from "../../policy/cascade.ts";
import { isCloudSurer } from "../../policy/word.ts";

/** One decision with the last exit's logits at its temperature, and the recording that it is of. */
export interface AdaptDecision extends CascadeDecision {
  readonly logits: readonly number[]; // (nClasses,)
  readonly recording: number;
}

/** What adaptation did for one wearer, in the half that it did not learn from. */
export interface WearerGain {
  readonly user: string;
  readonly asked: number; // answers of the half that was learned from
  readonly learned: number; // of those: the cloud was surer than the device
  readonly windows: number; // scored
  readonly before: number; // accuracy of the last exit
  readonly after: number;
  readonly gain: number;
}

export interface AdaptReport {
  readonly wearers: readonly WearerGain[];
  readonly meanGain: number;
  readonly interval: Interval; // of the mean gain, wearers drawn with replacement
  readonly worst: { readonly user: string; readonly gain: number };
}

const BOOTSTRAP_DRAWS = 10_000;

/** Adapts to each wearer on the first half of their recordings, asking only where `thresholdsQ15` would ask, and scores the second. */
export function adaptReport(
  decisions: readonly AdaptDecision[],
  thresholdsQ15: readonly number[],
  options: AdapterOptions,
  random: { integer(n: number): number },
): AdaptReport {
  const users = [...new Set(decisions.map(({ wearer }) => wearer))];
  const wearers = users.map((user) =>
    gainOf(
      user,
      decisions.filter(({ wearer }) => wearer === user),
      thresholdsQ15,
      options,
    ),
  );
  const worst = wearers.reduce((least, one) => (one.gain < least.gain ? one : least));
  return {
    wearers,
    meanGain: wearers.reduce((sum, { gain }) => sum + gain, 0) / wearers.length,
    interval: bootstrapInterval(
      wearers.map(({ gain }) => ({ sum: gain, weight: 1 })),
      { random, draws: BOOTSTRAP_DRAWS },
    ),
    worst: { user: worst.user, gain: worst.gain },
  };
}

/**
 * The step that helps the tuning wearers most, of those tried; 0 (adaptation stays off) unless the mean gain over all of them is above
 * zero and no wearer loses more than `mostLoss`.
 */
export function chooseRate(
  groups: readonly (readonly AdaptDecision[])[],
  thresholdsQ15: readonly number[],
  rates: readonly number[],
  mostLoss: number,
  random: { integer(n: number): number },
): number {
  let best = 0;
  let bestGain = 0;
  for (const rate of rates) {
    const { meanGain, worst } = adaptReport(groups.flat(), thresholdsQ15, { rate }, random);
    if (meanGain <= bestGain || worst.gain < -mostLoss) continue;
    best = rate;
    bestGain = meanGain;
  }
  return best;
}

function gainOf(user: string, own: readonly AdaptDecision[], thresholdsQ15: readonly number[], options: AdapterOptions): WearerGain {
  const adapter = createAdapter(own[0]!.logits.length, options);
  const [first, second] = halves(own);
  let asked = 0;
  let learned = 0;
  for (const decision of first) {
    if (sureExit(decision, thresholdsQ15) >= 0) continue;
    asked++;
    if (!isCloudSurer(decision.cloud.confidence, decision.exits.at(-1)!.confidenceQ15)) continue;
    learned++;
    adapter.learn(decision.logits, decision.cloud);
  }
  const share = (labelOf: (decision: AdaptDecision) => number): number =>
    second.filter((decision) => labelOf(decision) === decision.truth).length / Math.max(1, second.length);
  const before = share(({ exits }) => exits.at(-1)!.label);
  const after = share(({ logits, exits }) => (learned === 0 ? exits.at(-1)!.label : largest(adapter.apply(logits))));
  return { user, asked, learned, windows: second.length, before, after, gain: after - before };
}

/** The first half of a wearer's recordings and the rest; of a single recording, its decisions in the middle. */
function halves(own: readonly AdaptDecision[]): [readonly AdaptDecision[], readonly AdaptDecision[]] {
  const recordings = [...new Set(own.map(({ recording }) => recording))];
  if (recordings.length === 1) return [own.slice(0, Math.ceil(own.length / 2)), own.slice(Math.ceil(own.length / 2))];
  const learnedFrom = new Set(recordings.slice(0, Math.ceil(recordings.length / 2)));
  return [own.filter(({ recording }) => learnedFrom.has(recording)), own.filter(({ recording }) => !learnedFrom.has(recording))];
}

function largest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
