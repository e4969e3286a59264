import { type NetConfig, parameterShapes } from "../net-config.ts";
import { isMatrix } from "./four-bits.ts";

/** How a row of the study would hold its weights and its scan state. */
export interface Storage {
  readonly weights: "float" | "row" | "tensor" | { readonly fourBitGroups: number };
  readonly scan: "float" | "s32" | "s16";
}

const BIAS = 4; // int32
const SCALE = 5; // multiplier int32, shift int8
const HEAD_TERMS = 4; // A and D, int32 or float32 a head each

/** Bytes of matrices, taps, biases, A, D and all weight scales; padding left out. */
export function weightBytes(config: NetConfig, { weights }: Storage): number {
  let bytes = 0;
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const [nIn, nOut] = shape as [number, number];
    if (name.endsWith(".b"))
      bytes += BIAS * nIn; // (nOut,): its one dimension
    else if (!name.endsWith(".w")) bytes += HEAD_TERMS * nIn;
    else if (weights === "float") bytes += 4 * nIn * nOut;
    else if (weights === "tensor") bytes += nIn * nOut + SCALE;
    else if (weights === "row" || !isMatrix(name)) bytes += nIn * nOut + SCALE * nOut;
    else bytes += nOut * (Math.ceil(nIn / 2) + Math.ceil(nIn / weights.fourBitGroups) + SCALE);
  }
  return bytes;
}

/** Bytes that the blocks remember: scan state, the convolution's past, keys and values. */
export function stateBytes(config: NetConfig, { scan }: Storage): number {
  const [ofScan, ofOthers] = { float: [4, 4], s32: [4, 1], s16: [2, 1] }[scan] as [number, number];
  return config.blocks.reduce((sum, block) => {
    if (block.kind === "attention") return sum + ofOthers * 2 * block.windowPatches * block.nKvHeads * block.headDim;
    return sum + ofScan * block.dInner * block.dState + ofOthers * (block.dConv - 1) * block.dInner;
  }, 0);
}
