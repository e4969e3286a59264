import * as layout from "../../../../assembly/layout.ts";
import { align16 } from "../../arithmetic/align.ts";
import { PRODUCT_LIMIT, requireBetween, requireRows } from "../image-check-values.ts";
import type { RecordSpec } from "../image-fields.ts";
import { imageError } from "../image-header.ts";
import { NO_OPS, type Ops, withLinears } from "../ops.ts";
import type { FixedScale, LinearTensors } from "../tensor-types.ts";

/** A Mamba-2 block (arXiv:2405.21060). */
export interface SsmBlock {
  readonly kind: "ssm";
  readonly epsilon: number;
  readonly gateEpsilon: number;
  readonly dInner: number;
  readonly nHeads: number;
  readonly headDim: number;
  readonly dState: number;
  readonly dConv: number;
  readonly scanShift: number;
  readonly inProj: LinearTensors; // rows z, x, B, C, Δ
  readonly outProj: LinearTensors;
  readonly convWeights: Int8Array; // (dConv, dInner), tap-major
  readonly convBias: Int32Array; // (dInner,)
  readonly convMultiplier: Int32Array;
  readonly convShift: Int8Array;
  readonly siluX: Int8Array; // 256
  readonly siluZ: Int8Array; // 256
  readonly a: Int32Array; // (nHeads,) A·log2(e), Q12
  readonly d: Int32Array; // (nHeads,)
  readonly y: FixedScale;
}

const LIMIT_CONV_TAPS = 8;
const { STATUS_BAD_BLOCK: BAD, STATUS_BAD_SCAN: BAD_SCAN, LIMIT_DIM } = layout;
const tables = [`${layout.SILU_TABLE_BYTES}`];

const spec: RecordSpec<SsmBlock> = {
  name: "ssm",
  words: layout.BLOCK_WORDS,
  fields: [
    { at: layout.BLOCK_KIND, name: "kind", type: "word", least: layout.BLOCK_KIND_SSM, isConstant: true, status: BAD },
    { at: layout.BLOCK_EPSILON, name: "epsilon", type: "word", least: 1, status: BAD, text: "of the block's norm" },
    { at: layout.SSM_D_INNER, name: "dInner", type: "word", least: 1, most: LIMIT_DIM, status: BAD, text: "nHeads·headDim" },
    { at: layout.SSM_HEADS, name: "nHeads", type: "word", least: 1, most: layout.LIMIT_HEADS, status: BAD },
    { at: layout.SSM_HEAD_DIM, name: "headDim", type: "word", least: 1, most: LIMIT_DIM, status: BAD },
    { at: layout.SSM_D_STATE, name: "dState", type: "word", least: 1, most: layout.LIMIT_STATE, status: BAD },
    { at: layout.SSM_D_CONV, name: "dConv", type: "word", least: 1, most: LIMIT_CONV_TAPS, status: BAD },
    {
      at: layout.SSM_SCAN_SHIFT,
      name: "scanShift",
      type: "word",
      least: 7,
      most: 20,
      status: BAD_SCAN,
      text: "at least 7 + ⌈log2 dState⌉",
    },
    { at: layout.SSM_GATE_EPSILON, name: "gateEpsilon", type: "word", least: 1, status: BAD, text: "of the gated norm" },
    {
      at: layout.SSM_IN_PROJ,
      name: "inProj",
      type: "linear",
      nIn: "dModel",
      nOut: "2·dInner + 2·dState + nHeads",
      text: "rows z, x, B, C, Δ",
    },
    { at: layout.SSM_OUT_PROJ, name: "outProj", type: "linear", nIn: "dInner", nOut: "dModel" },
    { at: layout.SSM_CONV_WEIGHTS, name: "convWeights", type: "s8", shape: ["dConv", "dInner"], text: "tap-major" },
    { at: layout.SSM_CONV_BIAS, name: "convBias", type: "s32", shape: ["dInner"] },
    { at: layout.SSM_CONV_MULTIPLIER, name: "convMultiplier", type: "s32", shape: ["dInner"] },
    { at: layout.SSM_CONV_SHIFT, name: "convShift", type: "s8", shape: ["dInner"] },
    { at: layout.SSM_SILU_X, name: "siluX", type: "s8", shape: tables, text: "SiLU of x, by q + 128" },
    { at: layout.SSM_SILU_Z, name: "siluZ", type: "s8", shape: tables, text: "SiLU of z" },
    {
      at: layout.SSM_A,
      name: "a",
      type: "s32",
      shape: ["nHeads"],
      least: layout.FIXED_A_MIN,
      most: layout.FIXED_A_MAX,
      status: BAD_SCAN,
      text: "A·log2(e), Q12",
    },
    {
      at: layout.SSM_D,
      name: "d",
      type: "s32",
      shape: ["nHeads"],
      least: -layout.LIMIT_D,
      most: layout.LIMIT_D,
      status: BAD_SCAN,
      text: "skip, in scan output units",
    },
    { at: layout.SSM_Y_MULTIPLIER, name: "y", type: "scale", bound: `${2 ** 31 - 1}` },
  ],
  checkDims(where, { nHeads, headDim, dInner, dState, scanShift }) {
    if (nHeads! * headDim! !== dInner) throw imageError(BAD, `${where}: ${nHeads} heads of ${headDim} do not make dInner ${dInner}`);
    requireBetween(BAD_SCAN, `${where}: scanShift`, scanShift!, 7 + Math.ceil(Math.log2(dState!)), 20);
  },
  check(where, { convBias, convMultiplier, convShift, dInner, dConv }) {
    const rows = { bias: convBias, multiplier: convMultiplier, shift: convShift };
    requireRows(`${where}: conv`, rows, dInner, dConv * PRODUCT_LIMIT);
  },
};

export const ssm = {
  kind: layout.BLOCK_KIND_SSM,
  name: "ssm",
  spec,
  stateBytes: ({ dConv, dInner, dState }: SsmBlock): number => align16((dConv - 1) * dInner) + align16(4 * dInner * dState),
  linears: ({ inProj, outProj }: SsmBlock): Readonly<Record<string, LinearTensors>> => ({ inProj, outProj }),
  ops({ dInner, dState, dConv, nHeads, inProj, outProj }: SsmBlock, dModel: number): Ops {
    const state = dInner * dState;
    const taps = dConv * dInner;
    const own: Ops = {
      ...NO_OPS,
      macs: taps + 2 * state,
      requantize: 2 * dInner, // conv and y
      state,
      lookup: 2 * dInner + 2 * nHeads, // SiLU of x and z; softplus and exp2
      norm: dModel + dInner,
      weightBytes: taps,
    };
    return withLinears(own, [inProj, outProj]);
  },
  describe: ({ dInner, nHeads, dState }: SsmBlock): string => `ssm(${dInner}, ${nHeads} heads, state ${dState})`,
};
