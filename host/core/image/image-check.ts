import * as layout from "../../../assembly/layout.ts";
import { statisticsCount } from "../arithmetic/lda.ts";
import { ModelError } from "../system/errors.ts";
import { findBlockKind } from "./blocks/block.ts";
import { requireBetween } from "./image-check-values.ts";
import { checkRecord, type Dims } from "./image-fields.ts";
import { imageError } from "./image-header.ts";
import * as records from "./image-records.ts";
import type { Lda, ModelImage, Plausibility, Smoothing } from "./image-types.ts";

// Checks across an image's records. Each record's own checks are in its fields.

/** The manifest agrees with the numbers beside it. Calibration is absent or one per exit. */
function checkManifestAgrees({ manifest, ...image }: ModelImage): void {
  const faults = [
    manifest.labels.length !== image.nClasses && `${manifest.labels.length} labels, the heads have ${image.nClasses} classes`,
    manifest.channels.length !== image.channels && `${manifest.channels.length} channels, frames have ${image.channels}`,
    Math.abs(manifest.frameRateHz * 1000 - image.frameRateMillihertz) > 0.5 &&
      `${manifest.frameRateHz} Hz, the configuration says ${image.frameRateMillihertz} mHz`,
    ![0, image.exits.length].includes(manifest.calibration.length) &&
      `${manifest.calibration.length} calibrations, the model has ${image.exits.length} exits`,
  ].filter((fault) => fault !== false);
  if (faults.length > 0)
    throw new ModelError("BAD_MANIFEST", `model image: the manifest says ${faults.join("; ")}. Export the model again.`);
}

function checkSmoothing(smoothing: Smoothing, dims: Dims): void {
  checkRecord(records.smoothingSpec, "smoothing", smoothing, dims);
  for (let i = 0; i < dims.nClasses!; i++) {
    const cost = smoothing.transitionCosts[i * (dims.nClasses! + 1)]!;
    if (cost !== 0) throw imageError(layout.STATUS_BAD_SMOOTHING, `smoothing: staying at class ${i} costs ${cost}, not 0`);
  }
}

function checkLda(lda: Lda, dims: Dims): void {
  const frames = dims.windowPatches! * dims.patchFrames!;
  requireBetween(layout.STATUS_BAD_LDA, "lda: frames", frames, 2 * layout.FIXED_SWAY_FRAMES, layout.LIMIT_LDA_FRAMES);
  checkRecord(records.ldaSpec, "lda", lda, dims);
}

function checkPlausibility({ rules }: Plausibility, dims: Dims): void {
  const status = layout.STATUS_BAD_PLAUSIBILITY;
  requireBetween(status, "plausibility: channels", dims.channels!, layout.MONITOR_CHANNELS, layout.MONITOR_CHANNELS);
  requireBetween(status, "plausibility: rules", rules.length, 1, layout.LIMIT_RULES);
  for (const [r, { fault, mode, on, first, weights }] of rules.entries()) {
    const require = (name: string, value: number, least: number, most: number): void =>
      requireBetween(status, `plausibility: rule ${r}: ${name}`, value, least, most);
    require("fault", fault, 0, layout.FAULTS_ALL);
    require("mode", mode, 0, layout.RULE_MODE_GATE);
    require("on", on, 1, layout.LIMIT_RULE_ON);
    require("first", first, 0, layout.MONITOR_FEATURES - 1);
    require("weights", weights.length, 1, layout.MONITOR_FEATURES - first);
  }
}

/** An LDA that is to take the place of the image's own. Throws BAD_LDA or BAD_TENSOR. */
export function checkReplacement(lda: Lda, image: ModelImage): void {
  if (image.lda === undefined) throw imageError(layout.STATUS_BAD_LDA, "it has none");
  checkLda(lda, checkShape(image));
}

/** The numbers that the records share. Throws ModelError. */
function checkShape(image: ModelImage): Dims {
  const model = checkRecord(records.modelSpec, "model", { dModel: image.dModel, nBlocks: image.blocks.length }, {});
  const input = checkRecord(records.inputSpec, "input", image, model);
  requireBetween(layout.STATUS_BAD_CONFIG, "input: contextPatches", image.contextPatches, image.windowPatches, layout.LIMIT_PATCHES);
  const dims = checkRecord(records.headSpec, "head", { ...image, nExits: image.exits.length }, input);
  return { ...dims, statistics: statisticsCount(image.channels) };
}

function checkExits({ exits, smoothing }: ModelImage, dims: Dims): void {
  let after = -1;
  for (const [k, exit] of exits.entries()) {
    checkRecord(records.exitSpec, `exit ${k}`, exit, dims);
    requireBetween(layout.STATUS_BAD_EXIT, `exit ${k}: afterBlock`, exit.afterBlock, after + 1, dims.nBlocks! - 1);
    after = exit.afterBlock;
    if ((exit.smoothedTemperature === undefined) !== (smoothing === undefined))
      throw imageError(layout.STATUS_BAD_SMOOTHING, `exit ${k}: a temperature of smoothed decisions goes with costs, and costs with it`);
  }
  if (after !== dims.nBlocks! - 1)
    throw imageError(layout.STATUS_BAD_EXIT, `the last exit follows block ${after}, not block ${dims.nBlocks! - 1}`);
}

/** Checks a whole image: all that the core's `prepare` checks, and the manifest. Throws ModelError. */
export function checkImage(image: ModelImage): void {
  const dims = checkShape(image);
  if (image.features.length !== image.channels)
    throw imageError(layout.STATUS_BAD_FEATURES, `${image.features.length} records for ${image.channels} channels`);
  for (const [c, { zeroPoint, multiplier, shift, knee }] of image.features.entries())
    checkRecord(records.featureSpec, `channel ${c}`, { zeroPoint, scale: { multiplier, shift }, knee }, dims);
  if (image.lda) checkLda(image.lda, dims);
  if (image.plausibility) checkPlausibility(image.plausibility, dims);
  if (image.smoothing) checkSmoothing(image.smoothing, dims);
  for (const [b, block] of image.blocks.entries()) checkRecord(findBlockKind(block).spec, `block ${b}`, block, dims);
  checkExits(image, dims);
  checkManifestAgrees(image);
}
