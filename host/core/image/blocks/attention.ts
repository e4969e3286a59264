import * as layout from "../../../../assembly/layout.ts";
import { align16 } from "../../arithmetic/align.ts";
import { PRODUCT_LIMIT, requireBetween } from "../image-check-values.ts";
import type { RecordSpec } from "../image-fields.ts";
import { imageError } from "../image-header.ts";
import { NO_OPS, type Ops, withLinears } from "../ops.ts";
import type { FixedScale, LinearTensors } from "../tensor-types.ts";

/** Causal attention over the last patches with grouped keys and values, then a gated MLP. */
export interface AttentionBlock {
  readonly kind: "attention";
  readonly epsilon: number;
  readonly mlpEpsilon: number;
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly headDim: number;
  readonly windowPatches: number;
  readonly dMlp: number;
  readonly score: FixedScale;
  readonly qkv: LinearTensors;
  readonly oProj: LinearTensors;
  readonly gateUp: LinearTensors;
  readonly down: LinearTensors;
  readonly silu: Int8Array; // 256
  readonly out: FixedScale;
  readonly mlp: FixedScale;
}

const { STATUS_BAD_BLOCK: BAD, LIMIT_DIM } = layout;
/** Σp ≤ 32768 + W/2 after rounding, |v| ≤ 128. */
const SUM_LIMIT = (32768 + layout.LIMIT_RING) * 128;

const spec: RecordSpec<AttentionBlock> = {
  name: "attention",
  words: layout.BLOCK_WORDS,
  fields: [
    { at: layout.BLOCK_KIND, name: "kind", type: "word", least: layout.BLOCK_KIND_ATTENTION, isConstant: true, status: BAD },
    { at: layout.BLOCK_EPSILON, name: "epsilon", type: "word", least: 1, status: BAD, text: "of the norm before the attention" },
    { at: layout.ATTENTION_HEADS, name: "nHeads", type: "word", least: 1, most: layout.LIMIT_HEADS, status: BAD },
    { at: layout.ATTENTION_KV_HEADS, name: "nKvHeads", type: "word", least: 1, most: "nHeads", status: BAD, text: "divides nHeads" },
    { at: layout.ATTENTION_HEAD_DIM, name: "headDim", type: "word", least: 1, most: LIMIT_DIM, status: BAD },
    { at: layout.ATTENTION_WINDOW, name: "windowPatches", type: "word", least: 1, most: layout.LIMIT_RING, status: BAD },
    { at: layout.ATTENTION_D_MLP, name: "dMlp", type: "word", least: 1, most: LIMIT_DIM, status: BAD },
    { at: layout.ATTENTION_SCORE_MULTIPLIER, name: "score", type: "scale", bound: `${2 * PRODUCT_LIMIT}·headDim` },
    { at: layout.ATTENTION_MLP_EPSILON, name: "mlpEpsilon", type: "word", least: 1, status: BAD, text: "of the norm before the MLP" },
    {
      at: layout.ATTENTION_QKV,
      name: "qkv",
      type: "linear",
      nIn: "dModel",
      nOut: "nHeads·headDim + 2·nKvHeads·headDim",
      text: "rows q, k, v",
    },
    { at: layout.ATTENTION_O_PROJ, name: "oProj", type: "linear", nIn: "nHeads·headDim", nOut: "dModel" },
    { at: layout.ATTENTION_GATE_UP, name: "gateUp", type: "linear", nIn: "dModel", nOut: "2·dMlp", text: "rows g, u" },
    { at: layout.ATTENTION_DOWN, name: "down", type: "linear", nIn: "dMlp", nOut: "dModel" },
    { at: layout.ATTENTION_SILU, name: "silu", type: "s8", shape: [`${layout.SILU_TABLE_BYTES}`], text: "SiLU of g, by q + 128" },
    { at: layout.ATTENTION_OUT_MULTIPLIER, name: "out", type: "scale", bound: `${SUM_LIMIT}` },
    { at: layout.ATTENTION_MLP_MULTIPLIER, name: "mlp", type: "scale", bound: `${PRODUCT_LIMIT}` },
  ],
  checkDims(where, { nHeads, nKvHeads, headDim }) {
    if (nHeads! % nKvHeads! !== 0) throw imageError(BAD, `${where}: ${nHeads} heads cannot share ${nKvHeads} KV heads`);
    requireBetween(BAD, `${where}: nHeads · headDim`, nHeads! * headDim!, 1, LIMIT_DIM);
  },
};

export const attention = {
  kind: layout.BLOCK_KIND_ATTENTION,
  name: "attention",
  spec,
  stateBytes: ({ windowPatches, nKvHeads, headDim }: AttentionBlock): number => 2 * align16(windowPatches * nKvHeads * headDim),
  linears: ({ qkv, oProj, gateUp, down }: AttentionBlock): Readonly<Record<string, LinearTensors>> => ({ qkv, oProj, gateUp, down }),
  ops({ nHeads, headDim, windowPatches, dMlp, qkv, oProj, gateUp, down }: AttentionBlock, dModel: number): Ops {
    const own: Ops = {
      ...NO_OPS,
      macs: 2 * nHeads * headDim * windowPatches, // always at the full window
      requantize: nHeads * windowPatches + nHeads * headDim + dMlp, // scores, outputs, gated products
      lookup: nHeads * windowPatches + dMlp,
      norm: 2 * dModel,
    };
    return withLinears(own, [qkv, oProj, gateUp, down]);
  },
  describe: ({ nHeads, windowPatches, dMlp }: AttentionBlock): string => `attention(${nHeads} heads, window ${windowPatches}, mlp ${dMlp})`,
};
