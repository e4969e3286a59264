import * as layout from "../../assembly/layout.ts";
import { checkAttentionDims, checkSsmDims } from "./image-check-blocks.ts";
import type { RecordReader } from "./image-tensors.ts";
import type { AttentionBlock, Block, Exit, SsmBlock } from "./image-types.ts";

function readSsm(record: RecordReader, dModel: number): SsmBlock {
  const { word } = record;
  record.requireZeroFrom(layout.SSM_GATE_EPSILON + 1, layout.SSM_IN_PROJ);
  record.requireZeroFrom(layout.SSM_Y_SHIFT + 1);
  const dims = {
    dInner: word(layout.SSM_D_INNER),
    nHeads: word(layout.SSM_HEADS),
    headDim: word(layout.SSM_HEAD_DIM),
    dState: word(layout.SSM_D_STATE),
    dConv: word(layout.SSM_D_CONV),
  };
  checkSsmDims(record.name, dims);
  const { dInner, nHeads, dState, dConv } = dims;
  return {
    kind: "ssm",
    ...dims,
    epsilon: word(layout.BLOCK_EPSILON),
    gateEpsilon: word(layout.SSM_GATE_EPSILON),
    scanShift: word(layout.SSM_SCAN_SHIFT),
    inProj: record.linear(layout.SSM_IN_PROJ, "inProj", dModel, 2 * dInner + 2 * dState + nHeads),
    outProj: record.linear(layout.SSM_OUT_PROJ, "outProj", dInner, dModel),
    convWeights: record.s8(layout.SSM_CONV_WEIGHTS, "convWeights", dConv * dInner),
    convBias: record.s32(layout.SSM_CONV_BIAS, "convBias", dInner),
    convMultiplier: record.s32(layout.SSM_CONV_MULTIPLIER, "convMultiplier", dInner),
    convShift: record.s8(layout.SSM_CONV_SHIFT, "convShift", dInner),
    siluX: record.s8(layout.SSM_SILU_X, "siluX", layout.SILU_TABLE_BYTES),
    siluZ: record.s8(layout.SSM_SILU_Z, "siluZ", layout.SILU_TABLE_BYTES),
    a: record.s32(layout.SSM_A, "A", nHeads),
    d: record.s32(layout.SSM_D, "D", nHeads),
    y: record.scale(layout.SSM_Y_MULTIPLIER),
  };
}

function readAttention(record: RecordReader, dModel: number): AttentionBlock {
  const { word } = record;
  record.requireZeroFrom(layout.ATTENTION_MLP_SHIFT + 1);
  const dims = {
    nHeads: word(layout.ATTENTION_HEADS),
    nKvHeads: word(layout.ATTENTION_KV_HEADS),
    headDim: word(layout.ATTENTION_HEAD_DIM),
    windowPatches: word(layout.ATTENTION_WINDOW),
    dMlp: word(layout.ATTENTION_D_MLP),
  };
  checkAttentionDims(record.name, dims);
  const { nHeads, nKvHeads, headDim, dMlp } = dims;
  return {
    kind: "attention",
    ...dims,
    epsilon: word(layout.BLOCK_EPSILON),
    mlpEpsilon: word(layout.ATTENTION_MLP_EPSILON),
    score: record.scale(layout.ATTENTION_SCORE_MULTIPLIER),
    qkv: record.linear(layout.ATTENTION_QKV, "qkv", dModel, (nHeads + 2 * nKvHeads) * headDim),
    oProj: record.linear(layout.ATTENTION_O_PROJ, "oProj", nHeads * headDim, dModel),
    gateUp: record.linear(layout.ATTENTION_GATE_UP, "gateUp", dModel, 2 * dMlp),
    down: record.linear(layout.ATTENTION_DOWN, "down", dMlp, dModel),
    silu: record.s8(layout.ATTENTION_SILU, "silu", layout.SILU_TABLE_BYTES),
    out: record.scale(layout.ATTENTION_OUT_MULTIPLIER),
    mlp: record.scale(layout.ATTENTION_MLP_MULTIPLIER),
  };
}

type BlockReader = (record: RecordReader, dModel: number) => Block;

/** By BLOCK_KIND. */
export const BLOCK_READERS: ReadonlyMap<number, BlockReader> = new Map<number, BlockReader>([
  [layout.BLOCK_KIND_SSM, readSsm],
  [layout.BLOCK_KIND_ATTENTION, readAttention],
]);

export function readExit(record: RecordReader, dModel: number, nClasses: number): Exit {
  record.requireZeroFrom(layout.EXIT_TRACKED_SHIFT + 1);
  const trackedTemperature = record.scale(layout.EXIT_TRACKED_MULTIPLIER);
  const isTracked = trackedTemperature.multiplier !== 0 || trackedTemperature.shift !== 0;
  return {
    afterBlock: record.word(layout.EXIT_AFTER_BLOCK),
    epsilon: record.word(layout.EXIT_EPSILON),
    head: record.linear(layout.EXIT_HEAD, "head", dModel, nClasses),
    temperature: record.scale(layout.EXIT_TEMPERATURE_MULTIPLIER),
    ...(isTracked && { trackedTemperature }),
    threshold: record.word(layout.EXIT_THRESHOLD),
  };
}
