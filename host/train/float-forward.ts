import { FIXED_KNEE_SHIFT } from "../../assembly/layout.ts";
import { type FloatTensors, readSafetensors, writeSafetensors } from "../core/image/safetensors.ts";
import { DataError } from "../core/system/errors.ts";
import type { FeatureConfig } from "./batches.ts";
import { kindOfConfig } from "./blocks/block.ts";
import { linear, rmsNorm } from "./float-layers.ts";
import type { Parameters } from "./layers.ts";
import { type NetConfig, parameterShapes } from "./net-config.ts";
import { INPUT_SCALE } from "./net-constants.ts";

/** A net in floating point: its shape, its weights, and how counts become its input. */
export interface FloatModel {
  readonly config: NetConfig;
  readonly features: FeatureConfig;
  readonly parameters: Parameters;
}

/** model.safetensors of a net: parameters as F32, configuration as JSON in the metadata. */
export function writeFloatModel(model: FloatModel): Uint8Array {
  const tensors: Record<string, FloatTensors["tensors"][string]> = {};
  for (const [name, shape] of Object.entries(parameterShapes(model.config))) tensors[name] = { shape, values: model.parameters[name]! };
  const metadata = { format: "dormouse-net-2", config: JSON.stringify(model.config), features: JSON.stringify(model.features) };
  return writeSafetensors({ tensors, metadata });
}

/** Reads what writeFloatModel wrote; a missing tensor or another shape is a DataError. */
export function readFloatModel(bytes: Uint8Array, path = "model.safetensors"): FloatModel {
  const { tensors, metadata } = readSafetensors(bytes, path);
  if (metadata.format !== "dormouse-net-2" || !metadata.config || !metadata.features)
    throw new DataError(
      "BAD_FLOAT_MODEL",
      `${path}: metadata format is "${metadata.format}", "dormouse-net-2" expected. Write it with \`dormouse train\`.`,
    );
  const config = JSON.parse(metadata.config) as NetConfig;
  const parameters: Parameters = {};
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const tensor = tensors[name];
    if (!tensor || tensor.shape.join() !== shape.join())
      throw new DataError(
        "BAD_FLOAT_MODEL",
        `${path}: tensor ${name} has shape [${tensor?.shape ?? "none"}], [${shape}] expected. Write it with \`dormouse train\`.`,
      );
    parameters[name] = tensor.values;
  }
  return { config, features: JSON.parse(metadata.features) as FeatureConfig, parameters };
}

/**
 * Logits of every exit after the last patch of a window from a reset state, without any rounding: the float reference.
 * `patches` (L, patchFrames·channels): floatPatches gives them. Plain float64 recurrence: no chunks, no jax.
 */
export function floatLogits(parameters: Parameters, config: NetConfig, patches: Float32Array | Float64Array): Float64Array[] {
  const perPatch = config.channels * config.patchFrames;
  const L = patches.length / perPatch;
  const { dModel } = config;
  let rows: Float64Array[] = [];
  for (let t = 0; t < L; t++) rows.push(linear(parameters, "embed", patches.subarray(t * perPatch, (t + 1) * perPatch)));
  const logits: Float64Array[] = [];
  config.blocks.forEach((block, i) => {
    rows = kindOfConfig(block).forwardFloat(parameters, i, block, rows);
    const exit = config.exits.indexOf(i);
    if (exit >= 0) logits.push(linear(parameters, `e${exit}`, rmsNorm(rows[L - 1] ?? new Float64Array(dModel))));
  });
  return logits;
}

/** int16 frames (n, channels) → float patches of floatLogits, not rounded to int8. */
export function floatPatches(frames: Int16Array, start: number, count: number, features: FeatureConfig): Float64Array {
  const { stepCounts, zeroPointCounts, kneeSteps } = features;
  const channels = stepCounts.length;
  return Float64Array.from({ length: count * channels }, (_, i) => {
    const c = i % channels;
    const steps = (frames[start * channels + i]! - zeroPointCounts[c]!) / stepCounts[c]!;
    const knee = kneeSteps?.[c] ?? 0;
    const beyond = Math.abs(steps) - knee;
    const companded = knee === 0 || beyond <= 0 ? steps : Math.sign(steps) * (knee + beyond / 2 ** FIXED_KNEE_SHIFT);
    return Math.max(-128, Math.min(127, companded)) * INPUT_SCALE; // a sensor's range is not a matter of rounding
  });
}
