import { type Confirmation, type ConfirmationPart, confirmationLogit } from "../../cloud/confirm/confirmation.ts";
import type { MotionScale } from "../../cloud/confirm/motion.ts";
import { readMotion } from "../../cloud/confirm/motion.ts";
import { clampS8 } from "../../core/arithmetic/fixed-point.ts";
import type { Recording } from "../../data/recording.ts";
import type { FeatureConfig } from "../batches.ts";
import { type BoostingOptions, trainBoosting } from "./boosting.ts";
import { type ExtraTreesOptions, trainExtraTrees } from "./extra-trees.ts";
import { trainLogistic } from "./logistic.ts";
import { type Sample, type SampleOptions, samplesOf } from "./samples.ts";
import type { TreeTable } from "./tree-table.ts";

/** A recording, and the frame of the impact if the confirmed event happens in it. */
export interface EventRecording {
  readonly recording: Recording;
  readonly impact: number | undefined;
}

/** All that the training of a confirmation is, but for the recordings. */
export interface ConfirmationTraining {
  readonly name: string;
  readonly labels: readonly string[];
  readonly label: string;
  readonly features: FeatureConfig; // the device's, without a knee
  readonly countsPerUnit: readonly number[]; // (channels,)
  readonly patchFrames: number;
  readonly samples: SampleOptions;
  /** Of the hops of daily life, one in so many is learned from. */
  readonly dailyEvery: number;
  readonly boosting: BoostingOptions;
  readonly extraTrees: ExtraTreesOptions;
  readonly ridge: number;
  /** Reads recordings below the folder of the data. The lists are disjoint, and none is of a test wearer. */
  load(dataDir: string): ConfirmationData;
}

interface ConfirmationData {
  readonly fit: readonly EventRecording[]; // learned from in both rounds
  readonly select: readonly EventRecording[]; // chooses the operating point with `calibrate`, then is learned from
  readonly calibrate: readonly EventRecording[];
  readonly protocol: Confirmation["protocol"];
}

/** How a part does on recordings that it has not learned from, a hop with movement at a time. */
interface ConfirmationCheck {
  readonly falls: number;
  readonly missed: number;
  readonly daily: number;
  readonly falselyConfirmed: number;
}

export interface TrainedConfirmation {
  readonly confirmation: Confirmation;
  /** The first round on select and calibrate wearers, at the operating point that they chose. */
  readonly chosen: Readonly<Record<ConfirmationPart, ConfirmationCheck>>;
  /** The second round on calibrate wearers. */
  readonly calibrate: Readonly<Record<ConfirmationPart, ConfirmationCheck>>;
}

const parts: readonly ConfirmationPart[] = ["mean", "linear"];

/**
 * Trains boosting, extra trees and a logistic regression on the contexts of the fit wearers; the operating points are the ones that make
 * the fewest errors on the select and calibrate wearers. Then trains again with the select wearers too, at the same operating points.
 */
export function trainConfirmation(training: ConfirmationTraining, dataDir: string, note: (text: string) => void): TrainedConfirmation {
  const data = training.load(dataDir);
  note("Reading the contexts …");
  const fit = data.fit.map((one) => cut(training, one, training.dailyEvery));
  const select = data.select.map((one) => cut(training, one, 1));
  const calibrate = data.calibrate.map((one) => cut(training, one, 1));
  note(`Learning from ${fit.flat().length} contexts …`);
  const first = learn(training, data.protocol, fit.flat());
  const judged = [...select, ...calibrate];
  const operatingPoint = { mean: choosePoint(first, "mean", judged), linear: choosePoint(first, "linear", judged) };
  const chosen = checkBoth({ ...first, operatingPoint }, judged);
  const thinned = select.map((samples) => samples.filter(({ isFall }, i) => isFall || i % training.dailyEvery === 0));
  note("Learning again, from the select wearers too …");
  const confirmation = { ...learn(training, data.protocol, [...fit, ...thinned].flat()), operatingPoint };
  return { confirmation, chosen, calibrate: checkBoth(confirmation, calibrate) };
}

function cut(training: ConfirmationTraining, { recording, impact }: EventRecording, every: number): Sample[] {
  const motion = readMotion(quantise(recording.frames, training.features), motionScale(training));
  return samplesOf(motion, impact, training.samples, every);
}

/** Frames of counts to the int8 steps that a device keeps, in whole frames. */
function quantise(frames: Int16Array, { stepCounts, zeroPointCounts }: FeatureConfig): Int8Array {
  const channels = stepCounts.length;
  return Int8Array.from(frames, (count, i) => {
    const c = i % channels;
    return clampS8(Math.floor((count - zeroPointCounts[c]!) / stepCounts[c]! + 0.5));
  });
}

function motionScale({ features, countsPerUnit }: ConfirmationTraining): MotionScale {
  return {
    step: features.stepCounts.map((step, c) => step / countsPerUnit[c]!),
    zero: features.zeroPointCounts.map((zero, c) => zero / countsPerUnit[c]!),
  };
}

function learn(training: ConfirmationTraining, protocol: Confirmation["protocol"], samples: readonly Sample[]): Confirmation {
  const { name, labels, label, patchFrames, boosting, extraTrees, ridge } = training;
  const table = tableOf(samples);
  return {
    ...{ name, labels, label: labels.indexOf(label), patchFrames },
    afterFrames: training.samples.afterFrames,
    scale: motionScale(training),
    boosting: trainBoosting(table, boosting),
    extraTrees: trainExtraTrees(table, extraTrees),
    linear: trainLogistic(table, ridge),
    operatingPoint: { mean: 0, linear: 0 },
    protocol,
  };
}

/** Falls are rarer than daily life: each weighs the root of how much rarer. */
function tableOf(samples: readonly Sample[]): TreeTable {
  const falls = samples.filter(({ isFall }) => isFall).length;
  const weight = Math.sqrt((samples.length - falls) / Math.max(1, falls));
  return {
    rows: samples.map(({ statistics }) => statistics),
    targets: Uint8Array.from(samples, ({ isFall }) => (isFall ? 1 : 0)),
    weights: Float64Array.from(samples, ({ isFall }) => (isFall ? weight : 1)),
  };
}

/** Seconds after an impact at which a device suspects it. */
const SUSPECTED_AFTER = 0.1;

/** Logits that decide about recordings: of a fall that of the hop at which a device suspects it, of daily life the highest. */
function decisive(
  confirmation: Confirmation,
  part: ConfirmationPart,
  groups: readonly (readonly Sample[])[],
): { falls: number[]; daily: number[] } {
  const falls: number[] = [];
  const daily: number[] = [];
  for (const samples of groups) {
    const logitOf = ({ statistics }: Sample): number => confirmationLogit(confirmation, statistics, part);
    const about = samples.filter(({ isFall }) => isFall);
    const suspected = about.find(({ sinceImpact }) => sinceImpact! >= SUSPECTED_AFTER) ?? about.at(-1);
    if (suspected !== undefined) falls.push(logitOf(suspected));
    else if (samples.length > 0) daily.push(Math.max(...samples.map(logitOf)));
  }
  return { falls, daily };
}

/** The middle of the logits that make the fewest errors: falls missed and recordings of daily life falsely confirmed. */
function choosePoint(confirmation: Confirmation, part: ConfirmationPart, groups: readonly (readonly Sample[])[]): number {
  const { falls, daily } = decisive(confirmation, part, groups);
  const edges = [...falls, ...daily].sort((a, b) => a - b);
  const errors = (point: number): number => falls.filter((value) => value < point).length + daily.filter((value) => value >= point).length;
  let best = { errors: Number.POSITIVE_INFINITY, point: 0, width: 0 };
  for (let i = 1; i < edges.length; i++) {
    const point = (edges[i - 1]! + edges[i]!) / 2;
    const own = { errors: errors(point), point, width: edges[i]! - edges[i - 1]! };
    if (own.errors < best.errors || (own.errors === best.errors && own.width > best.width)) best = own;
  }
  return best.point;
}

function checkBoth(confirmation: Confirmation, groups: readonly (readonly Sample[])[]): Record<ConfirmationPart, ConfirmationCheck> {
  const [mean, linear] = parts.map((part): ConfirmationCheck => {
    const { falls, daily } = decisive(confirmation, part, groups);
    const point = confirmation.operatingPoint[part];
    return {
      falls: falls.length,
      missed: falls.filter((value) => value < point).length,
      daily: daily.length,
      falselyConfirmed: daily.filter((value) => value >= point).length,
    };
  });
  return { mean: mean!, linear: linear! };
}
