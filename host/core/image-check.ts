import * as layout from "../../assembly/layout.ts";
import { ModelError } from "./errors.ts";
import { checkBlock } from "./image-check-blocks.ts";
import { requireBetween, requireEpsilon, requireLinear, requireScale } from "./image-check-values.ts";
import { imageError } from "./image-header.ts";
import type { Evidence, ModelImage, Track } from "./image-types.ts";
import { statisticsCount } from "./reference/evidence.ts";

export type ImageDims = Omit<ModelImage, "embed" | "features" | "blocks" | "exits" | "evidence" | "track" | "manifest"> & {
  readonly nBlocks: number;
  readonly nExits: number;
};

/** Checked by the reader before it allocates anything of these sizes. */
export function checkDims(dims: ImageDims): void {
  const between = (name: keyof ImageDims, least: number, most: number): void =>
    requireBetween(layout.STATUS_BAD_CONFIG, name, dims[name], least, most);
  between("dModel", 1, layout.LIMIT_DIM);
  between("channels", 1, layout.LIMIT_CHANNELS);
  between("patchFrames", 1, layout.LIMIT_PATCH_FRAMES);
  between("frameRateMillihertz", 1, 2 ** 31 - 1);
  between("windowPatches", 1, layout.LIMIT_PATCHES);
  between("hopPatches", 1, layout.LIMIT_PATCHES);
  between("contextPatches", dims.windowPatches, layout.LIMIT_PATCHES); // an ask must carry at least the window
  between("ringPatches", 1, layout.LIMIT_RING);
  between("nBlocks", 1, layout.LIMIT_BLOCKS);
  between("nExits", 1, layout.LIMIT_EXITS);
  between("nClasses", 2, layout.LIMIT_CLASSES);
  between("gapLimitFrames", 0, layout.LIMIT_GAP_FRAMES);
}

/** The manifest agrees with the numbers beside it. Calibration is absent or one an exit. */
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

function checkTrack({ shift, costs }: Track, nClasses: number): void {
  requireBetween(layout.STATUS_BAD_TRACK, "track: shift", shift, 0, layout.LIMIT_TRACK_SHIFT);
  if (costs.length !== nClasses ** 2) throw imageError(layout.STATUS_BAD_TRACK, `${costs.length} costs for ${nClasses} classes`);
  for (const [i, cost] of costs.entries()) {
    const most = i % (nClasses + 1) === 0 ? 0 : layout.LIMIT_TRACK_COST;
    requireBetween(layout.STATUS_BAD_TRACK, `track: cost ${Math.floor(i / nClasses)} → ${i % nClasses}`, cost, 0, most);
  }
}

function checkEvidence(
  { means, limits, weights, bias, shift }: Evidence,
  { channels, patchFrames, windowPatches, nClasses }: ModelImage,
): void {
  const fault = layout.STATUS_BAD_EVIDENCE;
  requireBetween(fault, "evidence: shift", shift, 0, layout.LIMIT_EVIDENCE_SHIFT);
  requireBetween(fault, "evidence: frames", windowPatches * patchFrames, 2 * layout.FIXED_SWAY_FRAMES, layout.LIMIT_EVIDENCE_FRAMES);
  const n = statisticsCount(channels);
  const lengths = [means.length, limits.length, weights.length / nClasses, (bias.length / nClasses) * n];
  if (lengths.some((length) => length !== n)) throw imageError(fault, `the lengths do not fit ${n} statistics and ${nClasses} classes`);
  for (const [f, mean] of means.entries()) {
    requireBetween(fault, `evidence: mean ${f}`, mean, -layout.LIMIT_EVIDENCE_MEAN, layout.LIMIT_EVIDENCE_MEAN);
    requireBetween(fault, `evidence: limit ${f}`, limits[f]!, 0, layout.LIMIT_EVIDENCE_LIMIT);
  }
}

/** Evidence that is to take the place of the image's own. Throws BAD_EVIDENCE. */
export function checkReplacement(evidence: Evidence, image: ModelImage): void {
  if (image.evidence === undefined) throw imageError(layout.STATUS_BAD_EVIDENCE, "it weighs none");
  checkEvidence(evidence, image);
}

/** Everything that an image says, checked: what the core's `prepare` checks, and the manifest. Throws ModelError. */
export function checkImage(image: ModelImage): void {
  const { dModel, channels, patchFrames, nClasses } = image;
  const nBlocks = image.blocks.length;
  checkDims({ ...image, nBlocks, nExits: image.exits.length });
  if (image.features.length !== channels) {
    throw imageError(layout.STATUS_BAD_FEATURES, `${image.features.length} records for ${channels} channels`);
  }
  requireLinear("embed", image.embed, channels * patchFrames, dModel);
  for (const [c, feature] of image.features.entries()) {
    requireBetween(layout.STATUS_BAD_FEATURES, `channel ${c}: zeroPoint`, feature.zeroPoint, -32768, 32767);
    requireBetween(layout.STATUS_BAD_FEATURES, `channel ${c}: knee`, feature.knee, 0, 127);
    requireScale(`channel ${c}`, feature, 65536);
  }
  if (image.evidence) checkEvidence(image.evidence, image);
  if (image.track) checkTrack(image.track, nClasses);
  for (const [b, block] of image.blocks.entries()) checkBlock(`block ${b}`, block, dModel);
  let after = -1;
  for (const [k, exit] of image.exits.entries()) {
    requireBetween(layout.STATUS_BAD_EXIT, `exit ${k}: afterBlock`, exit.afterBlock, after + 1, nBlocks - 1);
    after = exit.afterBlock;
    requireEpsilon(layout.STATUS_BAD_EXIT, `exit ${k}: epsilon`, exit.epsilon);
    requireBetween(layout.STATUS_BAD_EXIT, `exit ${k}: threshold`, exit.threshold, 0, layout.EXIT_NEVER);
    requireScale(`exit ${k}: temperature`, exit.temperature, 65535);
    const { multiplier, shift } = exit.trackedTemperature ?? { multiplier: 0, shift: 0 };
    if ((multiplier === 0 && shift === 0) !== (image.track === undefined))
      throw imageError(layout.STATUS_BAD_TRACK, `exit ${k}: a temperature of tracked decisions goes with costs, and costs with it`);
    if (exit.trackedTemperature) requireScale(`exit ${k}: trackedTemperature`, exit.trackedTemperature, 65535 + layout.LIMIT_TRACK_COST);
    requireLinear(`exit ${k}: head`, exit.head, dModel, nClasses);
  }
  if (after !== nBlocks - 1) throw imageError(layout.STATUS_BAD_EXIT, `the last exit follows block ${after}, not block ${nBlocks - 1}`);
  checkManifestAgrees(image);
}
