import { defaultDevice, init, numpy as np } from "@jax-js/jax";
import { type Batch, bandMask } from "./batches.ts";
import type { Arrays, Parameters, Scales } from "./layers.ts";
import type { NetInput } from "./net.ts";
import { type NetConfig, parameterShapes, reachPatches } from "./net-config.ts";
import { CHUNK_PATCHES } from "./net-constants.ts";

/** Positional arguments of every traced function after the parameters. */
export type TracedInput = [patches: np.Array, lower: np.Array, upper: np.Array, mask: np.Array];

/** The arguments of a traced function as the net's input. */
export function netInput([patches, lowerLogDecay, upperLogDecay, attentionMask]: TracedInput): NetInput {
  return { patches, lowerLogDecay, upperLogDecay, attentionMask };
}

/** Chooses jax-js's wasm backend: the one that runs in Node. Call once before any other function of this folder. */
export async function startJax(): Promise<void> {
  await init("wasm");
  defaultDevice("wasm");
}

export function upload(values: Float32Array, shape: readonly number[]): np.Array {
  return np.array(values as Float32Array<ArrayBuffer>, { shape: [...shape] });
}

export function uploadParameters(config: NetConfig, parameters: Parameters): Arrays {
  return Object.fromEntries(Object.entries(parameterShapes(config)).map(([name, shape]) => [name, upload(parameters[name]!, shape)]));
}

export function uploadScales(scales: Scales): Arrays {
  return Object.fromEntries(Object.entries(scales).map(([name, scale]) => [name, np.array(scale)]));
}

/** Inputs of a training batch, breaks included. */
export function uploadBatch(config: NetConfig, batch: Batch): TracedInput {
  const { size: B, seqLen: L } = batch;
  return [
    upload(batch.patches, [B, L, config.channels * config.patchFrames]),
    np.zeros([B, L, 1]),
    upload(batch.upperLogDecay, [B, L, 1]),
    upload(batch.attentionMask, maskShape(batch.maskBatch, L)),
  ];
}

/** Inputs of B plain sequences without breaks. */
export function uploadSequences(config: NetConfig, patches: Float32Array, seqLen: number): TracedInput {
  const perPatch = config.channels * config.patchFrames;
  const B = patches.length / (seqLen * perPatch);
  const windowPatches = reachPatches(config);
  return [
    upload(patches, [B, seqLen, perPatch]),
    np.zeros([B, seqLen, 1]),
    np.zeros([B, seqLen, 1]),
    upload(bandMask(new Int32Array(1), seqLen, windowPatches), maskShape(1, seqLen)),
  ];
}

/** (rows, nChunks, 1, 1, Q, S) of bandMask. */
function maskShape(rows: number, seqLen: number): number[] {
  const Q = Math.min(CHUNK_PATCHES, seqLen);
  const chunks = seqLen / Q;
  return [rows, chunks, 1, 1, Q, chunks === 1 ? Q : 2 * Q];
}
