import { kindOfConfig } from "../blocks/block.ts";
import type { Parameters } from "../layers.ts";
import { type NetConfig, parameterShapes } from "../net-config.ts";

/** How a row of the study would hold its weights and its scan state. */
export interface Storage {
  readonly weights: "float" | "row" | "tensor" | { readonly fourBitGroups: number };
  readonly scan: "float" | "s32";
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
  const ofScan = 4; // float32 or int32
  const ofOthers = scan === "float" ? 4 : 1;
  return config.blocks.reduce((sum, block) => {
    const elements = kindOfConfig(block).stateElements(block);
    return sum + ofScan * elements.scan + ofOthers * elements.others;
  }, 0);
}

const MOST = 7; // q in [−7, 7]
const CODES = 255; // a group's scale is 1…255 steps of its row's

/**
 * Matrices rounded to 4 bits: groups of `groupSize` along nIn share one scale, of 8 bits on top of its output row's. The convolution's taps,
 * biases, A and D stay as they are. scale(row) = max|w| / (7·255); scale(group) = code · scale(row), the least that clips nothing.
 */
export function roundToFourBits(config: NetConfig, parameters: Parameters, groupSize: number): Parameters {
  const rounded: Parameters = {};
  for (const [name, shape] of Object.entries(parameterShapes(config)))
    rounded[name] = isMatrix(name) ? roundMatrix(parameters[name]!, shape[0]!, shape[1]!, groupSize) : parameters[name]!;
  return rounded;
}

/** w (nIn, nOut), a column an output row of the core. */
function roundMatrix(w: Float32Array, nIn: number, nOut: number, groupSize: number): Float32Array {
  const rounded = new Float32Array(w.length);
  for (let o = 0; o < nOut; o++) {
    const rowScale = largest(w, o, nOut, 0, nIn) / (MOST * CODES);
    for (let from = 0; from < nIn; from += groupSize) {
      const to = Math.min(nIn, from + groupSize);
      const code = Math.max(1, Math.min(CODES, Math.ceil(largest(w, o, nOut, from, to) / MOST / rowScale - 1e-9)));
      const scale = code * rowScale;
      for (let k = from; k < to; k++) {
        const at = k * nOut + o;
        rounded[at] = scale > 0 ? scale * Math.max(-MOST, Math.min(MOST, Math.floor(w[at]! / scale + 0.5))) : 0;
      }
    }
  }
  return rounded;
}

function largest(w: Float32Array, column: number, nOut: number, from: number, to: number): number {
  let top = 0;
  for (let k = from; k < to; k++) top = Math.max(top, Math.abs(w[k * nOut + column]!));
  return top;
}

/** True for the weights of a linear layer: all but the convolution's taps. */
function isMatrix(name: string): boolean {
  return name.endsWith(".w") && !name.endsWith(".conv.w");
}
