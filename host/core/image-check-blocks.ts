import * as layout from "../../assembly/layout.ts";
import {
  PRODUCT_LIMIT,
  requireBetween,
  requireEpsilon,
  requireLength,
  requireLinear,
  requireRows,
  requireScale,
} from "./image-check-values.ts";
import { imageError } from "./image-header.ts";
import type { AttentionBlock, Block, SsmBlock } from "./image-types.ts";

const LIMIT_CONV_TAPS = 8;
/** Largest scan sum: scanShift keeps it below 2^31, with nothing to spare for a shift to the left. */
const SCAN_SUM_LIMIT = 2 ** 31 - 1;
/** Σp ≤ 32768 + W/2 after rounding, |v| ≤ 128. */
const ATTENTION_SUM_LIMIT = (32768 + layout.LIMIT_RING) * 128;

export type SsmDims = Pick<SsmBlock, "dInner" | "nHeads" | "headDim" | "dState" | "dConv">;
export type AttentionDims = Pick<AttentionBlock, "nHeads" | "nKvHeads" | "headDim" | "windowPatches" | "dMlp">;

/** Checked by the reader before it allocates anything of these sizes. */
export function checkSsmDims(where: string, dims: SsmDims): void {
  const { dInner, nHeads, headDim } = dims;
  const between = (name: keyof SsmDims, most: number): void =>
    requireBetween(layout.STATUS_BAD_BLOCK, `${where}: ${name}`, dims[name], 1, most);
  between("dInner", layout.LIMIT_DIM);
  between("nHeads", layout.LIMIT_HEADS);
  between("headDim", layout.LIMIT_DIM);
  between("dState", layout.LIMIT_STATE);
  between("dConv", LIMIT_CONV_TAPS);
  if (nHeads * headDim !== dInner) {
    throw imageError(layout.STATUS_BAD_BLOCK, `${where}: ${nHeads} heads of ${headDim} do not make dInner ${dInner}`);
  }
}

export function checkAttentionDims(where: string, dims: AttentionDims): void {
  const { nHeads, nKvHeads, headDim } = dims;
  const between = (name: keyof AttentionDims, most: number): void =>
    requireBetween(layout.STATUS_BAD_BLOCK, `${where}: ${name}`, dims[name], 1, most);
  between("nHeads", layout.LIMIT_HEADS);
  between("nKvHeads", nHeads);
  between("headDim", layout.LIMIT_DIM);
  between("windowPatches", layout.LIMIT_RING);
  between("dMlp", layout.LIMIT_DIM);
  if (nHeads % nKvHeads !== 0) throw imageError(layout.STATUS_BAD_BLOCK, `${where}: ${nHeads} heads cannot share ${nKvHeads} KV heads`);
  requireBetween(layout.STATUS_BAD_BLOCK, `${where}: nHeads · headDim`, nHeads * headDim, 1, layout.LIMIT_DIM);
}

function checkSsm(where: string, block: SsmBlock, dModel: number): void {
  checkSsmDims(where, block);
  const { dInner, nHeads, dState, dConv } = block;
  requireEpsilon(layout.STATUS_BAD_BLOCK, `${where}: epsilon`, block.epsilon);
  requireEpsilon(layout.STATUS_BAD_BLOCK, `${where}: gateEpsilon`, block.gateEpsilon);
  const leastShift = 7 + Math.ceil(Math.log2(dState));
  requireBetween(layout.STATUS_BAD_SCAN, `${where}: scanShift`, block.scanShift, leastShift, 20);
  requireLinear(`${where}: inProj`, block.inProj, dModel, 2 * dInner + 2 * dState + nHeads);
  requireLinear(`${where}: outProj`, block.outProj, dInner, dModel);
  requireLength(`${where}: convWeights`, block.convWeights, dConv * dInner);
  const rows = { bias: block.convBias, multiplier: block.convMultiplier, shift: block.convShift };
  requireRows(`${where}: conv`, rows, dInner, dConv * PRODUCT_LIMIT);
  requireLength(`${where}: siluX`, block.siluX, layout.SILU_TABLE_BYTES);
  requireLength(`${where}: siluZ`, block.siluZ, layout.SILU_TABLE_BYTES);
  requireLength(`${where}: A`, block.a, nHeads);
  requireLength(`${where}: D`, block.d, nHeads);
  for (let h = 0; h < nHeads; h++) {
    requireBetween(layout.STATUS_BAD_SCAN, `${where}: A[${h}]`, block.a[h]!, layout.FIXED_A_MIN, layout.FIXED_A_MAX);
    requireBetween(layout.STATUS_BAD_SCAN, `${where}: D[${h}]`, block.d[h]!, -layout.LIMIT_D, layout.LIMIT_D);
  }
  requireScale(`${where}: y`, block.y, SCAN_SUM_LIMIT);
}

function checkAttention(where: string, block: AttentionBlock, dModel: number): void {
  checkAttentionDims(where, block);
  const { nHeads, nKvHeads, headDim, dMlp } = block;
  requireEpsilon(layout.STATUS_BAD_BLOCK, `${where}: epsilon`, block.epsilon);
  requireEpsilon(layout.STATUS_BAD_BLOCK, `${where}: mlpEpsilon`, block.mlpEpsilon);
  requireScale(`${where}: score`, block.score, 2 * headDim * PRODUCT_LIMIT);
  requireScale(`${where}: out`, block.out, ATTENTION_SUM_LIMIT);
  requireScale(`${where}: mlp`, block.mlp, PRODUCT_LIMIT);
  requireLinear(`${where}: qkv`, block.qkv, dModel, (nHeads + 2 * nKvHeads) * headDim);
  requireLinear(`${where}: oProj`, block.oProj, nHeads * headDim, dModel);
  requireLinear(`${where}: gateUp`, block.gateUp, dModel, 2 * dMlp);
  requireLinear(`${where}: down`, block.down, dMlp, dModel);
  requireLength(`${where}: silu`, block.silu, layout.SILU_TABLE_BYTES);
}

export function checkBlock(where: string, block: Block, dModel: number): void {
  if (block.kind === "ssm") checkSsm(where, block, dModel);
  else checkAttention(where, block, dModel);
}
