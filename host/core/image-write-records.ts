import * as layout from "../../assembly/layout.ts";
import { align16 } from "./align.ts";
import type { AttentionBlock, Block, Exit, FixedScale, LinearTensors, ModelImage, SsmBlock } from "./image-types.ts";

type TensorArray = Int8Array | Uint8Array | Int16Array | Int32Array;

export function bytesOf(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength); // hosts are little-endian, as every platform of Node is
}

/** The TENSORS section as it grows: arrays in the order of the records, each at a multiple of IMAGE_ALIGN. */
export class TensorSection {
  readonly #arrays: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly offset: number;
  #end: number;

  constructor(offset: number) {
    this.offset = offset;
    this.#end = offset;
  }

  /** Offset of `array` from the image's first byte. */
  place(array: TensorArray): number {
    const at = align16(this.#end);
    this.#arrays.push({ at, bytes: bytesOf(array) });
    this.#end = at + array.byteLength;
    return at;
  }

  get bytes(): number {
    return this.#end - this.offset;
  }

  get count(): number {
    return this.#arrays.length;
  }

  copyTo(image: Uint8Array): void {
    for (const { at, bytes } of this.#arrays) image.set(bytes, at);
  }
}

/** Rows at a stride of nIn rounded up to 16. */
function padRows({ weights, nIn, nOut }: LinearTensors): Int8Array {
  const stride = align16(nIn);
  const padded = new Int8Array(nOut * stride);
  for (let row = 0; row < nOut; row++) padded.set(weights.subarray(row * nIn, (row + 1) * nIn), row * stride);
  return padded;
}

/** A record: words by index, the rest 0. */
function record(words: number, values: Readonly<Record<number, number>>): Int32Array {
  const out = new Int32Array(words);
  for (const [index, value] of Object.entries(values)) out[Number(index)] = value;
  return out;
}

function putLinear(words: Int32Array, at: number, linear: LinearTensors, tensors: TensorSection): void {
  words[at + layout.LINEAR_N_IN] = linear.nIn;
  words[at + layout.LINEAR_N_OUT] = linear.nOut;
  words[at + layout.LINEAR_WEIGHTS] = tensors.place(padRows(linear));
  words[at + layout.LINEAR_BIAS] = tensors.place(linear.bias);
  words[at + layout.LINEAR_MULTIPLIER] = tensors.place(linear.multiplier);
  words[at + layout.LINEAR_SHIFT] = tensors.place(linear.shift);
}

function putScale(words: Int32Array, multiplierAt: number, scale: FixedScale): void {
  words[multiplierAt] = scale.multiplier;
  words[multiplierAt + 1] = scale.shift;
}

/** Words of CONFIG. */
export function configRecord(image: ModelImage, tensors: TensorSection): Int32Array {
  const words = record(layout.CONFIG_WORDS, {
    [layout.CONFIG_D_MODEL]: image.dModel,
    [layout.CONFIG_CHANNELS]: image.channels,
    [layout.CONFIG_PATCH_FRAMES]: image.patchFrames,
    [layout.CONFIG_FRAME_RATE_MILLIHERTZ]: image.frameRateMillihertz,
    [layout.CONFIG_WINDOW_PATCHES]: image.windowPatches,
    [layout.CONFIG_HOP_PATCHES]: image.hopPatches,
    [layout.CONFIG_CONTEXT_PATCHES]: image.contextPatches,
    [layout.CONFIG_RING_PATCHES]: image.ringPatches,
    [layout.CONFIG_BLOCKS]: image.blocks.length,
    [layout.CONFIG_EXITS]: image.exits.length,
    [layout.CONFIG_CLASSES]: image.nClasses,
    [layout.CONFIG_GAP_LIMIT_FRAMES]: image.gapLimitFrames,
  });
  putLinear(words, layout.CONFIG_EMBED, image.embed, tensors);
  if (image.evidence) {
    const { means, limits, weights, bias, shift } = image.evidence;
    words[layout.CONFIG_EVIDENCE_MEANS] = tensors.place(means);
    words[layout.CONFIG_EVIDENCE_LIMITS] = tensors.place(limits);
    words[layout.CONFIG_EVIDENCE_WEIGHTS] = tensors.place(weights);
    words[layout.CONFIG_EVIDENCE_BIAS] = tensors.place(bias);
    words[layout.CONFIG_EVIDENCE_SHIFT] = shift;
  }
  if (image.track) {
    words[layout.CONFIG_TRACK_COSTS] = tensors.place(image.track.costs);
    words[layout.CONFIG_TRACK_SHIFT] = image.track.shift;
  }
  return words;
}

function ssmRecord(block: SsmBlock, tensors: TensorSection): Int32Array {
  const words = record(layout.BLOCK_WORDS, {
    [layout.BLOCK_KIND]: layout.BLOCK_KIND_SSM,
    [layout.BLOCK_EPSILON]: block.epsilon,
    [layout.SSM_D_INNER]: block.dInner,
    [layout.SSM_HEADS]: block.nHeads,
    [layout.SSM_HEAD_DIM]: block.headDim,
    [layout.SSM_D_STATE]: block.dState,
    [layout.SSM_D_CONV]: block.dConv,
    [layout.SSM_SCAN_SHIFT]: block.scanShift,
    [layout.SSM_GATE_EPSILON]: block.gateEpsilon,
  });
  putLinear(words, layout.SSM_IN_PROJ, block.inProj, tensors);
  putLinear(words, layout.SSM_OUT_PROJ, block.outProj, tensors);
  words[layout.SSM_CONV_WEIGHTS] = tensors.place(block.convWeights);
  words[layout.SSM_CONV_BIAS] = tensors.place(block.convBias);
  words[layout.SSM_CONV_MULTIPLIER] = tensors.place(block.convMultiplier);
  words[layout.SSM_CONV_SHIFT] = tensors.place(block.convShift);
  words[layout.SSM_SILU_X] = tensors.place(block.siluX);
  words[layout.SSM_SILU_Z] = tensors.place(block.siluZ);
  words[layout.SSM_A] = tensors.place(block.a);
  words[layout.SSM_D] = tensors.place(block.d);
  putScale(words, layout.SSM_Y_MULTIPLIER, block.y);
  return words;
}

function attentionRecord(block: AttentionBlock, tensors: TensorSection): Int32Array {
  const words = record(layout.BLOCK_WORDS, {
    [layout.BLOCK_KIND]: layout.BLOCK_KIND_ATTENTION,
    [layout.BLOCK_EPSILON]: block.epsilon,
    [layout.ATTENTION_HEADS]: block.nHeads,
    [layout.ATTENTION_KV_HEADS]: block.nKvHeads,
    [layout.ATTENTION_HEAD_DIM]: block.headDim,
    [layout.ATTENTION_WINDOW]: block.windowPatches,
    [layout.ATTENTION_D_MLP]: block.dMlp,
    [layout.ATTENTION_MLP_EPSILON]: block.mlpEpsilon,
  });
  putScale(words, layout.ATTENTION_SCORE_MULTIPLIER, block.score);
  putLinear(words, layout.ATTENTION_QKV, block.qkv, tensors);
  putLinear(words, layout.ATTENTION_O_PROJ, block.oProj, tensors);
  putLinear(words, layout.ATTENTION_GATE_UP, block.gateUp, tensors);
  putLinear(words, layout.ATTENTION_DOWN, block.down, tensors);
  words[layout.ATTENTION_SILU] = tensors.place(block.silu);
  putScale(words, layout.ATTENTION_OUT_MULTIPLIER, block.out);
  putScale(words, layout.ATTENTION_MLP_MULTIPLIER, block.mlp);
  return words;
}

/** Words of one exit. */
export function exitRecord(exit: Exit, tensors: TensorSection): Int32Array {
  const words = record(layout.EXIT_WORDS, {
    [layout.EXIT_AFTER_BLOCK]: exit.afterBlock,
    [layout.EXIT_EPSILON]: exit.epsilon,
    [layout.EXIT_THRESHOLD]: exit.threshold,
  });
  putLinear(words, layout.EXIT_HEAD, exit.head, tensors);
  putScale(words, layout.EXIT_TEMPERATURE_MULTIPLIER, exit.temperature);
  if (exit.trackedTemperature) putScale(words, layout.EXIT_TRACKED_MULTIPLIER, exit.trackedTemperature);
  return words;
}

/** Words of FEATURES, all channels. */
export function featureRecords(image: ModelImage): Int32Array {
  const words = new Int32Array(image.channels * layout.FEATURE_WORDS);
  for (const [c, feature] of image.features.entries()) {
    words[c * layout.FEATURE_WORDS + layout.FEATURE_ZERO_POINT] = feature.zeroPoint;
    putScale(words, c * layout.FEATURE_WORDS + layout.FEATURE_MULTIPLIER, feature);
    words[c * layout.FEATURE_WORDS + layout.FEATURE_KNEE] = feature.knee;
  }
  return words;
}

/** Words of one block. */
export function blockRecord(block: Block, tensors: TensorSection): Int32Array {
  return block.kind === "ssm" ? ssmRecord(block, tensors) : attentionRecord(block, tensors);
}
