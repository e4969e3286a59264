import type { Manifest } from "../../core/image/image-types.ts";
import { IMU_CHANNELS } from "../../core/image/imu-channels.ts";
import { DataError } from "../../core/system/errors.ts";
import type { CsvFolder, CsvPart } from "../../data/csv/csv-folder.ts";
import type { FeatureConfig } from "../batches.ts";
import { INPUT_SCALE } from "../net-constants.ts";

/** Counts are scaled so that twice the largest value of the fit wearers still fits into int16, glitches left out. */
const headRoom = 2;
/** Of a channel's values, at either end: so few may be glitches, and rule neither its mean nor its deviation. */
const glitchShare = 0.001;
/** So many times the largest of the others is still an impact that shall fit; what lies beyond is cut. */
const impactTimes = 8;
/** A channel whose deviation is below so many counts would lose its signal to rounding. */
const fewestCounts = 6;
/** int8 steps to either side of the mean that are linear where a channel has tails; beyond them a step is 16 times as large. */
const kneeSteps = 64;
/** A channel whose values reach further than an int8 of linear steps has tails. */
const linearSteps = 127;
/** 1/64 g and 1/8 °/s a step, as the activity agent reads an IMU. */
const imuSteps = { g: 32, turn: 2 };

/** Counts a unit and features of every channel, from the fit wearers alone. An IMU's axes in g and °/s have the counts that all IMU agents share. Throws CSV_FLAT. */
export function channelScales(
  { channels }: CsvFolder,
  fit: readonly CsvPart[],
): { readonly channels: Manifest["channels"]; readonly features: FeatureConfig } {
  const scales = channels.map(({ name, unit }, c) => {
    const { mean, deviation, most } = spreadOf(fit, c, channels.length);
    const imu = IMU_CHANNELS.find((other) => other.name === name && other.unit === unit);
    const countsPerUnit = imu?.countsPerUnit ?? 2 ** Math.floor(Math.log2(32767 / (headRoom * Math.max(most, 1e-9))));
    if (deviation === 0 || (imu === undefined && deviation * countsPerUnit < fewestCounts))
      throw new DataError(
        "CSV_FLAT",
        deviation === 0
          ? `channel ${name} is ${mean} throughout for the fit wearers: leave it out with --ignore ${name}.`
          : `channel ${name} varies by ${deviation.toPrecision(2)} around ${mean.toPrecision(4)}: in 16 bits that is lost. Subtract its usual value in the files.`,
      );
    const own = deviation * countsPerUnit * INPUT_SCALE; // a deviation becomes 1 at the net's input
    const step = imu === undefined ? Number(own.toPrecision(4)) : unit === "g" ? imuSteps.g : imuSteps.turn;
    const hasTails = (most + Math.abs(mean)) * countsPerUnit > linearSteps * step;
    const zero = imu !== undefined && unit !== "g" ? 0 : Math.round(mean * countsPerUnit);
    return { channel: { name, unit, countsPerUnit }, step, zero, knee: hasTails ? kneeSteps : 0 };
  });
  return {
    channels: scales.map(({ channel }) => channel),
    features: {
      stepCounts: scales.map(({ step }) => step),
      zeroPointCounts: scales.map(({ zero }) => zero),
      ...(scales.some(({ knee }) => knee > 0) && { kneeSteps: scales.map(({ knee }) => knee) }),
    },
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
export function cutOf({ parts, channels }: CsvFolder, { name, unit, countsPerUnit }: Manifest["channels"][number], c: number): string[] {
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
