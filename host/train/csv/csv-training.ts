import { LIMIT_CLASSES } from "../../../assembly/layout.ts";
import type { Manifest } from "../../core/image/image-types.ts";
import { areImuChannels, IMU_CHANNELS } from "../../core/image/imu-channels.ts";
import { DataError } from "../../core/system/errors.ts";
import { applyWindows, csvDataset } from "../../data/csv/csv-dataset.ts";
import { type CsvFolder, type CsvPart, GAP_LIMIT_FRAMES, rateText } from "../../data/csv/csv-folder.ts";
import { type Grouping, regroup } from "../../data/csv/regroup.ts";
import type { Dataset } from "../../data/recording.ts";
import { splitSubjects } from "../../data/split-subjects.ts";
import type { WindowRule } from "../../data/window-rule.ts";
import { type Augmentation, noAugmentation } from "../augment.ts";
import type { LdaRecipe } from "../fit-lda.ts";
import type { Recipe } from "../train-net.ts";
import { type AgentTraining, createSmoothing, type EnsembleMember } from "../training.ts";
import { channelScales, cutOf } from "./channel-scales.ts";
import { checkClasses, countWindows, type WindowCounts } from "./class-windows.ts";
import { findLabelBouts } from "./label-bouts.ts";

/** What a training on CSV recordings takes from another agent's: the net but for classes and channels, the recipe, the image's timing. */
export type TrainingShape = Pick<AgentTraining, "config" | "recipe" | "image">;

/** How recordings are divided and cut into windows. */
export interface CsvChoices {
  readonly windows: WindowRule;
  readonly grouping?: Grouping; // default: subjects
  readonly fold?: number; // default: 0
  readonly teachers?: number; // nets of the ensemble. Default: 3
}

/** What a training on CSV recordings is. */
export interface CsvTraining {
  readonly training: AgentTraining;
  readonly dataset: Dataset;
  readonly cuts: readonly string[]; // values that do not fit
  readonly counts: readonly WindowCounts[]; // a label
}

const longestCropPatches = 256;
/** How far windows are drawn as often from each label and each subject: 0 not at all, 1 wholly. */
const balance = 0.5;
/** Smoothing may weigh a change of label with so much, in logits. */
const [leastCost, mostCost] = [0.25, 3];
const shrinkage = 0.1;
/** Who answers asks: nets that learn from labels, each from other weights and batches. */
const usualTeachers = 3;
export const MOST_TEACHERS = 8;
const firstTeacherSeed = 11;
/** Of the student's steps. */
const teacherShare = 0.5;

/** The training of an agent on CSV recordings, the recordings as its counts, and what of them is cut. Throws DataError where they do not suffice. */
export function csvTraining(name: string, recorded: CsvFolder, shape: TrainingShape, choices: CsvChoices): CsvTraining {
  const { windows, grouping = "subjects", fold = 0, teachers = usualTeachers } = choices;
  const folder = regroup(recorded, grouping);
  const split = splitSubjects(
    folder.parts.map(({ subject }) => subject),
    fold,
  );
  checkLabels(folder);
  const fit = folder.parts.filter(({ subject }) => split.fit.includes(subject));
  const { channels, features } = channelScales(folder, fit);
  const dataset = applyWindows(csvDataset(folder, { channels, labels: folder.labels }), windows, folder.labels);
  const counts = countWindows(dataset, folder.labels, split);
  checkClasses(recorded, counts, choices);
  const { patchFrames } = shape.config;
  const timing = timingOf(windows, patchFrames);
  const student: AgentTraining = {
    name,
    config: { ...shape.config, channels: channels.length, nClasses: folder.labels.length },
    features,
    recipe: {
      ...shape.recipe,
      cropPatches: Math.min(shape.recipe.cropPatches, cropPatchesFor(fit, patchFrames, windows.frames)),
      augmentation: augmentationFor(shape.recipe.augmentation, channels),
      transitionShare: 0,
      spliceShare: 0,
      balance,
    },
    classOf: (label) => label - 1,
    split,
    image: {
      ...shape.image,
      ...timing,
      frameRateMillihertz: Math.max(1, Math.round(folder.rateHz * 1000)),
      gapLimitFrames: GAP_LIMIT_FRAMES,
      smoothing: smoothingFor(folder, windows, patchFrames),
    },
    lda: ldaFor(counts, shape.recipe, channels),
    manifest: {
      labels: folder.labels,
      channels,
      frameRateHz: folder.rateHz,
      orientation: "as recorded",
      windows: { ...windows, ...(grouping !== "subjects" && { grouping }) },
      provenance: {
        data: `${folder.files} CSV recordings of ${new Set(recorded.parts.map(({ subject }) => subject)).size} wearers`,
        licence: "not stated: say here who may use the model",
        trainedWith: "dormouse train --data (@jax-js/jax 0.1.25)",
      },
    },
    guarantee: { alpha: 0.02, delta: 0.1, minAnswered: 200 },
  };
  return {
    training: teachers === 0 ? student : withTeacher(student, teachers),
    dataset,
    cuts: channels.flatMap((channel, c) => cutOf(folder, channel, c)),
    counts,
  };
}

/** The agent with an ensemble that it learns from, and that answers its asks. */
function withTeacher(student: AgentTraining, count: number): AgentTraining {
  const recipe = { ...student.recipe, steps: Math.ceil(teacherShare * student.recipe.steps) };
  const members = Array.from({ length: count }, (_, i): EnsembleMember => {
    const letter = String.fromCharCode("a".charCodeAt(0) + i);
    return {
      name: letter,
      seed: firstTeacherSeed + i,
      training: { ...student, name: `${student.name}-teacher-${letter}`, recipe, guarantee: undefined },
    };
  });
  return {
    ...student,
    ensemble: { members, distillation: { aggregation: "mean-probability", softShare: 0.7, mixShare: 0.3, batches: 40 } },
  };
}

function checkLabels({ labels }: CsvFolder): void {
  if (labels.length >= 2 && labels.length <= LIMIT_CLASSES) return;
  throw new DataError(
    "CSV_LABELS",
    `the label columns hold ${labels.length} labels (${labels.slice(0, 8).join(", ")}): 2 to ${LIMIT_CLASSES} are taken. Label what the model shall tell apart, one word each.`,
  );
}

/** Windows of events are looked at four times as they pass, others twice. */
function timingOf({ frames, rule }: WindowRule, patchFrames: number) {
  const windowPatches = frames / patchFrames;
  const hopPatches = rule === "whole" || rule === "majority" ? windowPatches / 2 : windowPatches / 4;
  return { windowPatches, hopPatches, contextPatches: 4 * windowPatches, ringPatches: Math.max(16, hopPatches) };
}

/** An IMU may sit a little otherwise on others, and its gyroscope's zero drifts; of another sensor only its gain and its noise are known to differ. */
function augmentationFor({ channelScale, noise, gyroOffset, rotationRadians }: Augmentation, channels: Manifest["channels"]): Augmentation {
  const plain = { ...noAugmentation, channelScale, noise };
  if (areImuChannels(channels)) return { ...plain, gyroOffset, rotationRadians };
  return areImuChannels([...channels, ...IMU_CHANNELS.slice(3)]) ? { ...plain, rotationRadians } : plain;
}

function ldaFor(counts: readonly WindowCounts[], { augmentation }: Recipe, channels: Manifest["channels"]): LdaRecipe {
  const most = Math.max(...counts.map(({ fit }) => fit));
  const { rotationRadians } = augmentationFor(augmentation, channels);
  return { shrinkage, share: "fitting", rotationRadians, offsets: counts.map(({ fit }) => balance * Math.log(fit / most)) };
}

/** A change between two labels costs the logarithm of how many half windows the shorter of their bouts has. */
function smoothingFor(folder: CsvFolder, { frames }: WindowRule, patchFrames: number) {
  const halves = new Map(findLabelBouts(folder).map(({ label, median }) => [label, (2 * median) / frames]));
  const patches = 2 ** Math.round(Math.log2(frames / patchFrames / 2));
  return createSmoothing(folder.labels, patches, (from, to) =>
    Math.max(leastCost, Math.min(mostCost, Math.log(Math.max(1, Math.min(halves.get(from)!, halves.get(to)!))))),
  );
}

/** The longest crop, a multiple of 32 patches, that half of the fit wearers' frames have room for. */
function cropPatchesFor(fit: readonly CsvPart[], patchFrames: number, windowFrames: number): number {
  const all = fit.reduce((sum, { labels }) => sum + labels.length, 0);
  const step = 32;
  for (let patches = longestCropPatches; patches >= Math.max(step, windowFrames / patchFrames); patches -= step) {
    const enough = fit.reduce((sum, { labels }) => sum + (labels.length >= patches * patchFrames ? labels.length : 0), 0);
    if (enough >= all / 2) return patches;
  }
  throw new DataError(
    "CSV_SHORT",
    `most of the fit wearers' recordings are shorter than ${step * patchFrames} samples without a gap. Record longer stretches, or train at a lower --rate.`,
  );
}

/** "50 Hz, 6 channels": what the recordings are. */
export function recordingsText({ manifest }: AgentTraining): string {
  return `${manifest.provenance.data}, ${rateText(manifest.frameRateHz)}, ${manifest.channels.length} channels`;
}
