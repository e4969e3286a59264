import { LIMIT_CLASSES } from "../../assembly/layout.ts";
import type { Manifest } from "../core/image/image-types.ts";
import { DataError } from "../core/system/errors.ts";
import { csvDataset } from "../data/csv/csv-dataset.ts";
import { type CsvFolder, type CsvPart, GAP_LIMIT_FRAMES } from "../data/csv/csv-folder.ts";
import { type Dataset, WINDOW_FRAMES } from "../data/recording.ts";
import { splitSubjects } from "../data/split-subjects.ts";
import { noAugmentation } from "./augment.ts";
import type { FeatureConfig } from "./batches.ts";
import { INPUT_SCALE } from "./net-constants.ts";
import type { AgentTraining } from "./training.ts";

/** What a training on CSV recordings takes from another agent's: the net but for classes and channels, the recipe, the image's timing. */
export type TrainingShape = Pick<AgentTraining, "config" | "recipe" | "image">;

/** Counts are scaled so that twice the largest value of the fit wearers still fits into int16, glitches left out. */
const headRoom = 2;
/** Of a channel's values, at either end: so few may be glitches, and rule neither its mean nor its deviation. */
const glitchShare = 0.001;
/** So many times the largest of the others is still an impact that shall fit; what lies beyond is cut. */
const impactTimes = 8;
/** A channel whose deviation is below so many counts would lose its signal to rounding. */
const fewestCounts = 6;
const longestCropPatches = 256;

/** The training of an agent on CSV recordings, the recordings as its counts, and what of them is cut. Throws DataError where they do not suffice. */
export function csvTraining(
  name: string,
  folder: CsvFolder,
  shape: TrainingShape,
): { training: AgentTraining; dataset: Dataset; cuts: readonly string[] } {
  const split = splitSubjects(folder.parts.map(({ subject }) => subject));
  const fit = folder.parts.filter(({ subject }) => split.fit.includes(subject));
  checkLabels(folder, fit);
  const { channels, features } = scalesOf(folder, fit);
  const scale = { channels, labels: folder.labels };
  const { patchFrames } = shape.config;
  const { smoothing: _, ...image } = shape.image; // its costs are of other labels
  return {
    dataset: csvDataset(folder, scale),
    cuts: channels.flatMap((channel, c) => cutOf(folder, channel, c)),
    training: {
      name,
      config: { ...shape.config, channels: channels.length, nClasses: folder.labels.length },
      features,
      recipe: {
        ...shape.recipe,
        cropPatches: Math.min(shape.recipe.cropPatches, cropPatchesFor(fit, patchFrames)),
        augmentation: { ...noAugmentation, channelScale: shape.recipe.augmentation.channelScale, noise: shape.recipe.augmentation.noise }, // which channels turn together, drift or fail is not known
        transitionShare: 0,
        spliceShare: 0,
      },
      classOf: (label) => label - 1,
      split,
      image: { ...image, frameRateMillihertz: Math.round(folder.rateHz * 1000), gapLimitFrames: GAP_LIMIT_FRAMES },
      manifest: {
        labels: folder.labels,
        channels,
        frameRateHz: folder.rateHz,
        orientation: "as recorded",
        provenance: {
          data: `${folder.files} CSV recordings of ${new Set(folder.parts.map(({ subject }) => subject)).size} wearers`,
          licence: "not stated: say here who may use the model",
          trainedWith: "dormouse train --data (@jax-js/jax 0.1.25)",
        },
      },
      guarantee: { alpha: 0.02, delta: 0.1, minAnswered: 200 },
    },
  };
}

function checkLabels({ labels }: CsvFolder, fit: readonly CsvPart[]): void {
  if (labels.length < 2 || labels.length > LIMIT_CLASSES)
    throw new DataError(
      "CSV_LABELS",
      `the label columns hold ${labels.length} labels (${labels.slice(0, 8).join(", ")}): 2 to ${LIMIT_CLASSES} are taken. Label what the model shall tell apart, one word each.`,
    );
  const seen = new Set(fit.flatMap((part) => part.labels));
  const unseen = labels.find((label) => !seen.has(label));
  if (unseen !== undefined)
    throw new DataError(
      "CSV_LABELS",
      `no wearer that the net is fitted on has the label "${unseen}". Record it from more people, or empty it where it stands.`,
    );
}

/** Counts a unit and features of every channel, from the fit wearers alone. */
function scalesOf({ channels }: CsvFolder, fit: readonly CsvPart[]): { channels: Manifest["channels"]; features: FeatureConfig } {
  const scales = channels.map(({ name, unit }, c) => {
    const { mean, deviation, most } = spreadOf(fit, c, channels.length);
    const countsPerUnit = 2 ** Math.floor(Math.log2(32767 / (headRoom * Math.max(most, 1e-9))));
    if (deviation * countsPerUnit < fewestCounts)
      throw new DataError(
        "CSV_FLAT",
        deviation === 0
          ? `channel ${name} is ${mean} throughout for the fit wearers: leave the column out.`
          : `channel ${name} varies by ${deviation.toPrecision(2)} around ${mean.toPrecision(4)}: in 16 bits that is lost. Subtract its usual value in the files.`,
      );
    const step = deviation * countsPerUnit * INPUT_SCALE; // a deviation becomes 1 at the net's input
    return { channel: { name, unit, countsPerUnit }, step: Number(step.toPrecision(4)), zero: Math.round(mean * countsPerUnit) };
  });
  return {
    channels: scales.map(({ channel }) => channel),
    features: { stepCounts: scales.map(({ step }) => step), zeroPointCounts: scales.map(({ zero }) => zero) },
  };
}

/** Mean and deviation of a channel, and the largest size that shall fit; glitches rule none of them. */
function spreadOf(parts: readonly CsvPart[], c: number, channels: number): { mean: number; deviation: number; most: number } {
  const sorted = new Float64Array(parts.reduce((sum, { labels }) => sum + labels.length, 0));
  let filled = 0;
  for (const { values } of parts) for (let i = c; i < values.length; i += channels) sorted[filled++] = values[i]!;
  sorted.sort();
  const last = sorted.length - 1;
  const outer = Math.min(Math.ceil(glitchShare * last), last >> 1);
  const isResting = sorted[outer] === sorted[last - outer]; // but for rare values: those are its signal
  const low = sorted[isResting ? 0 : outer]!;
  const high = sorted[isResting ? last : last - outer]!;
  let mean = 0;
  let squares = 0; // of distances to the mean so far (Welford)
  for (let i = 0; i <= last; i++) {
    const value = Math.max(low, Math.min(high, sorted[i]!));
    const distance = value - mean;
    mean += distance / (i + 1);
    squares += distance * (value - mean);
  }
  const largest = Math.max(Math.abs(sorted[0]!), Math.abs(sorted[last]!));
  const most = Math.min(largest, impactTimes * Math.max(Math.abs(low), Math.abs(high)));
  return { mean, deviation: Math.sqrt(squares / (last + 1)), most };
}

/** Says which of a channel's values do not fit into int16; nothing where all do. */
function cutOf({ parts, channels }: CsvFolder, { name, unit, countsPerUnit }: Manifest["channels"][number], c: number): string[] {
  const limit = 32768 / countsPerUnit;
  let count = 0;
  let first = "";
  for (const { path, values } of parts)
    for (let i = c; i < values.length; i += channels.length) {
      if (Math.abs(values[i]!) <= limit) continue;
      if (count++ === 0) first = `${values[i]} in ${path}`;
    }
  if (count === 0) return [];
  const range = unit === "" ? `±${limit}` : `±${limit} ${unit}`;
  return [`Channel ${name}: ${count} of its values lie beyond ${range} and are cut to that, the first is ${first}.`];
}

/** The longest crop, a multiple of 32 patches, that half of the fit wearers' frames have room for. */
function cropPatchesFor(fit: readonly CsvPart[], patchFrames: number): number {
  const all = fit.reduce((sum, { labels }) => sum + labels.length, 0);
  for (let patches = longestCropPatches; patches >= WINDOW_FRAMES / patchFrames; patches -= 32) {
    const enough = fit.reduce((sum, { labels }) => sum + (labels.length >= patches * patchFrames ? labels.length : 0), 0);
    if (enough >= all / 2) return patches;
  }
  throw new DataError(
    "CSV_SHORT",
    `most of the fit wearers' recordings are shorter than ${WINDOW_FRAMES} samples without a gap. Record longer stretches, or train at a lower --rate.`,
  );
}
