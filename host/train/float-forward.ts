import { FIXED_KNEE_SHIFT } from "../../assembly/layout.ts";
import { DataError } from "../core/errors.ts";
import { type FloatTensors, readSafetensors, writeSafetensors } from "../core/safetensors.ts";
import type { FeatureConfig } from "./batches.ts";
import {
  A_MAX,
  A_MIN,
  type AttentionConfig,
  DT_RAW_LIMIT,
  INPUT_SCALE,
  type NetConfig,
  NORM_EPSILON,
  parameterShapes,
  type SsmConfig,
} from "./net-config.ts";
import type { Parameters } from "./parameters.ts";

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
    const updates = block.kind === "ssm" ? ssm(parameters, i, block, rows) : attention(parameters, i, block, rows);
    rows = rows.map((row, t) => row.map((value, j) => value + updates[t]![j]!));
    if (block.kind === "attention") rows = rows.map((row) => addMlp(parameters, i, row));
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

function ssm(p: Parameters, i: number, c: SsmConfig, rows: readonly Float64Array[]): Float64Array[] {
  const own = (name: string): string => `b${i}.${name}`;
  const history: Float64Array[] = Array.from({ length: c.dConv }, () => new Float64Array(c.dInner));
  const state = new Float64Array(c.dInner * c.dState); // (dInner, dState)
  return rows.map((row) => {
    const n = rmsNorm(row);
    const z = linear(p, own("z"), n);
    const b = linear(p, own("B"), n);
    const cOut = linear(p, own("C"), n);
    const raw = linear(p, own("dt"), n);
    history.shift();
    history.push(linear(p, own("x"), n));
    const gated = new Float64Array(c.dInner);
    for (let ch = 0; ch < c.dInner; ch++) {
      const head = Math.floor(ch / c.headDim);
      let sum = p[own("conv.b")]![ch]!;
      for (let k = 0; k < c.dConv; k++) sum += p[own("conv.w")]![k * c.dInner + ch]! * history[k]![ch]!;
      const u = silu(sum);
      const dt = Math.log1p(Math.exp(Math.max(-DT_RAW_LIMIT, Math.min(DT_RAW_LIMIT, raw[head]!))));
      const decay = Math.exp(-dt * Math.max(A_MIN, Math.min(A_MAX, Math.exp(p[own("logA")]![head]!))));
      let y = p[own("D")]![head]! * u;
      for (let s = 0; s < c.dState; s++) {
        const at = ch * c.dState + s;
        state[at] = decay * state[at]! + dt * b[s]! * u;
        y += cOut[s]! * state[at]!;
      }
      gated[ch] = y * silu(z[ch]!);
    }
    return linear(p, own("out"), rmsNorm(gated));
  });
}

function attention(p: Parameters, i: number, c: AttentionConfig, rows: readonly Float64Array[]): Float64Array[] {
  const own = (name: string): string => `b${i}.${name}`;
  const keys: Float64Array[] = [];
  const values: Float64Array[] = [];
  return rows.map((row) => {
    const n = rmsNorm(row);
    const q = linear(p, own("q"), n);
    keys.push(linear(p, own("k"), n));
    values.push(linear(p, own("v"), n));
    if (keys.length > c.windowPatches) {
      keys.shift();
      values.shift();
    }
    const out = new Float64Array(c.nHeads * c.headDim);
    for (let h = 0; h < c.nHeads; h++) {
      const kv = Math.floor((h * c.nKvHeads) / c.nHeads) * c.headDim;
      const scores = keys.map((k) => {
        let sum = 0;
        for (let d = 0; d < c.headDim; d++) sum += q[h * c.headDim + d]! * k[kv + d]!;
        return sum / Math.sqrt(c.headDim);
      });
      const top = Math.max(...scores);
      const e = scores.map((score) => Math.exp(score - top));
      const total = e.reduce((sum, value) => sum + value, 0);
      for (let d = 0; d < c.headDim; d++) {
        let sum = 0;
        for (let j = 0; j < e.length; j++) sum += (e[j]! / total) * values[j]![kv + d]!;
        out[h * c.headDim + d] = sum;
      }
    }
    return linear(p, own("o"), out);
  });
}

function addMlp(p: Parameters, i: number, row: Float64Array): Float64Array {
  const n = rmsNorm(row);
  const gate = linear(p, `b${i}.gate`, n);
  const up = linear(p, `b${i}.up`, n);
  const down = linear(
    p,
    `b${i}.down`,
    gate.map((value, j) => silu(value) * up[j]!),
  );
  return row.map((value, j) => value + down[j]!);
}

function linear(p: Parameters, name: string, x: Float32Array | Float64Array): Float64Array {
  const w = p[`${name}.w`]!; // (nIn, nOut)
  const y = Float64Array.from(p[`${name}.b`]!);
  const nOut = y.length;
  for (let k = 0; k < x.length; k++) {
    const value = x[k]!;
    for (let o = 0; o < nOut; o++) y[o]! += value * w[k * nOut + o]!;
  }
  return y;
}

function rmsNorm(x: Float64Array): Float64Array {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  const factor = 1 / Math.sqrt(sum / x.length + NORM_EPSILON);
  return x.map((value) => value * factor);
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}
