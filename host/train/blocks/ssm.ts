import { numpy as np } from "@jax-js/jax";
import { toFixedScale } from "../../core/arithmetic/fixed-point.ts";
import type { SsmBlock } from "../../core/image/image-types.ts";
import * as float from "../float-layers.ts";
import {
  type Arrays,
  activation,
  type Breaks,
  fakeQuantizeWeights,
  linear,
  type Numerics,
  type Parameters,
  rmsNorm,
  silu,
  softplus,
} from "../layers.ts";
import { A_MAX, A_MIN, CHUNK_PATCHES, DT_RAW_LIMIT, NORM_SCALE } from "../net-constants.ts";
import { type Exporter, integerEpsilon, quantizeLinear, siluTable, transpose } from "../quantise.ts";
import type { Add, Define } from "./block-kind.ts";

/** A Mamba-2 block: dInner = nHeads · headDim, conv over x alone. */
export interface SsmConfig {
  readonly kind: "ssm";
  readonly dInner: number;
  readonly nHeads: number;
  readonly headDim: number;
  readonly dState: number;
  readonly dConv: number;
}

const DT_RAW_SCALE = 2 ** -12; // FIXED_DT_RAW_BITS
const STATE_BITS = 12; // FIXED_STATE_BITS
const Y_LIMIT_BITS = 7; // g = (y · siluZ) >> 7

export const ssm = {
  kind: "ssm",
  activations: ["z", "x", "B", "C", "conv", "siluX", "siluZ", "y"],
  mixers: 1,
  reachPatches: (): undefined => undefined,
  stateElements: ({ dInner, dState, dConv }: SsmConfig) => ({ scan: dInner * dState, others: (dConv - 1) * dInner }),
  parameters(block: SsmConfig, dModel: number, { linear: matrix, array }: Define): void {
    matrix("z", dModel, block.dInner);
    matrix("x", dModel, block.dInner);
    matrix("B", dModel, block.dState);
    matrix("C", dModel, block.dState);
    matrix("dt", dModel, block.nHeads);
    array("conv.w", [block.dConv, block.dInner]);
    array("conv.b", [block.dInner]);
    array("logA", [block.nHeads]);
    array("D", [block.nHeads]);
    matrix("out", block.dInner, dModel);
  },
  forward(residual: np.Array, i: number, c: SsmConfig, p: Arrays, numerics: Numerics, breaks: Breaks, add: Add): np.Array {
    return add(residual.ref, ssmBlock(residual, i, c, p, numerics, breaks));
  },
  forwardFloat(p: Parameters, i: number, c: SsmConfig, rows: readonly Float64Array[]): Float64Array[] {
    const updates = floatBlock(p, i, c, rows);
    return rows.map((row, t) => row.map((value, j) => value + updates[t]![j]!));
  },
  toImage,
};

/** Residual (B, L, dModel) → what an ssm block adds to it. Source: arXiv 2405.21060, listing 1 (chunked matmul form). */
function ssmBlock(residual: np.Array, i: number, c: SsmConfig, p: Arrays, numerics: Numerics, breaks: Breaks): np.Array {
  const [B, L] = residual.shape as [number, number];
  const own = (name: string): string => `b${i}.${name}`;
  const n = rmsNorm(residual, numerics);
  const project = (name: string, x: np.Array): np.Array => linear(x, own(name), p, numerics);
  const z = activation(own("z"), project("z", n.ref), numerics);
  const x = activation(own("x"), project("x", n.ref), numerics);
  const b = activation(own("B"), project("B", n.ref), numerics);
  const cOut = activation(own("C"), project("C", n.ref), numerics);
  const dt = softplus(np.clip(project("dt", n), -DT_RAW_LIMIT, DT_RAW_LIMIT));
  const convWeights = numerics.scales ? fakeQuantizeWeights(p[own("conv.w")]!) : p[own("conv.w")]!;
  const conv = activation(own("conv"), causalConv(x, convWeights, p[own("conv.b")]!, c.dConv), numerics);
  const u = activation(own("siluX"), silu(conv), numerics);
  const y = selectiveScan(u, dt, b, cOut, p[own("logA")]!, p[own("D")]!, c, breaks);
  numerics.observe?.(own("y"), y.ref);
  const gated = y.mul(activation(own("siluZ"), silu(z), numerics)).reshape([B, L, c.dInner]);
  return linear(rmsNorm(gated, numerics), own("out"), p, numerics);
}

/** Depthwise causal convolution: tap dConv − 1 is the present. x (B, L, dInner), w (dConv, dInner). */
function causalConv(x: np.Array, w: np.Array, bias: np.Array, dConv: number): np.Array {
  const L = x.shape[1]!;
  const padded = np.pad(x, [
    [0, 0],
    [dConv - 1, 0],
    [0, 0],
  ]);
  let sum = bias;
  for (let k = 0; k < dConv; k++) {
    const last = k === dConv - 1;
    sum = sum.add((last ? padded : padded.ref).slice([], [k, k + L], []).mul((last ? w : w.ref).slice(k)));
  }
  return sum;
}

/** h = e^(−dt·A)·h + dt·B·u; y = C·h + D·u. u (B, L, dInner), dt (B, L, nHeads), b and c (B, L, dState) → (B, L, dInner). */
function selectiveScan(
  u: np.Array,
  dt: np.Array,
  b: np.Array,
  c: np.Array,
  logA: np.Array,
  d: np.Array,
  config: SsmConfig,
  breaks: Breaks,
): np.Array {
  const [B, L] = u.shape as [number, number];
  const { nHeads: H, headDim: P, dState: N } = config;
  const Q = Math.min(CHUNK_PATCHES, L);
  const K = L / Q;
  const a = np.clip(np.exp(logA), A_MIN, A_MAX);
  const logDecay = dt.ref.mul(a.neg()).add(breaks.logDecay.ref); // (B, L, H)
  const heads = (v: np.Array): np.Array => v.reshape([B, K, Q, H]).transpose([0, 1, 3, 2]); // (B, K, H, Q)
  const cs = np.matmul(heads(logDecay), np.triu(np.ones([Q, Q]))); // inclusive cumulative sum in a chunk
  const xh = u.reshape([B, K, Q, H, P]).transpose([0, 1, 3, 2, 4]); // (B, K, H, Q, P)
  const xdt = xh.ref.mul(heads(dt).reshape([B, K, H, Q, 1]));
  const bt = b.reshape([B, K, Q, N]).transpose([0, 1, 3, 2]); // (B, K, N, Q)
  const ck = c.reshape([B, K, Q, N]);
  const decay = np.exp(np.minimum(cs.ref.reshape([B, K, H, Q, 1]).sub(cs.ref.reshape([B, K, H, 1, Q])), 0)).mul(np.tril(np.ones([Q, Q])));
  let y = np.matmul(np.matmul(ck.ref, bt.ref).reshape([B, K, 1, Q, Q]).mul(decay), xdt.ref);
  y = y.add(xh.mul(d.reshape([H, 1, 1])));
  if (K > 1) {
    const total = cs.ref.slice([], [], [], [Q - 1, Q]); // (B, K, H, 1)
    const toEnd = np.exp(np.minimum(total.ref.sub(cs.ref), 0)).reshape([B, K, H, Q, 1]);
    // Each chunk's own state, (B, K, H, N, P), then what all earlier chunks leave at this one's start.
    const states = np.matmul(np.broadcastTo(bt.reshape([B, K, 1, N, Q]), [B, K, H, N, Q]), xdt.mul(toEnd));
    const sums = total.reshape([B, K, H]).transpose([0, 2, 1]); // (B, H, K)
    const before = np.matmul(sums.ref, np.triu(np.ones([K, K]), 1)); // sum over chunks before this one
    const after = before.ref.add(sums);
    const between = np.exp(np.minimum(before.reshape([B, H, K, 1]).sub(after.reshape([B, H, 1, K])), 0)).mul(np.tril(np.ones([K, K]), -1));
    const carried = np.matmul(between, states.transpose([0, 2, 1, 3, 4]).reshape([B, H, K, N * P]));
    const initial = carried.reshape([B, H, K, N, P]).transpose([0, 2, 1, 3, 4]);
    const fromStart = np.exp(cs).reshape([B, K, H, Q, 1]);
    const ch = np.broadcastTo(ck.reshape([B, K, 1, Q, N]), [B, K, H, Q, N]);
    y = y.add(np.matmul(ch, initial).mul(fromStart));
  } else {
    bt.dispose();
    ck.dispose();
    cs.dispose();
    xdt.dispose();
  }
  return y.transpose([0, 1, 3, 2, 4]).reshape([B, L, H * P]);
}

function floatBlock(p: Parameters, i: number, c: SsmConfig, rows: readonly Float64Array[]): Float64Array[] {
  const own = (name: string): string => `b${i}.${name}`;
  const history: Float64Array[] = Array.from({ length: c.dConv }, () => new Float64Array(c.dInner));
  const state = new Float64Array(c.dInner * c.dState); // (dInner, dState)
  return rows.map((row) => {
    const n = float.rmsNorm(row);
    const z = float.linear(p, own("z"), n);
    const b = float.linear(p, own("B"), n);
    const cOut = float.linear(p, own("C"), n);
    const raw = float.linear(p, own("dt"), n);
    history.shift();
    history.push(float.linear(p, own("x"), n));
    const gated = new Float64Array(c.dInner);
    for (let ch = 0; ch < c.dInner; ch++) {
      const head = Math.floor(ch / c.headDim);
      let sum = p[own("conv.b")]![ch]!;
      for (let k = 0; k < c.dConv; k++) sum += p[own("conv.w")]![k * c.dInner + ch]! * history[k]![ch]!;
      const u = float.silu(sum);
      const dt = Math.log1p(Math.exp(Math.max(-DT_RAW_LIMIT, Math.min(DT_RAW_LIMIT, raw[head]!))));
      const decay = Math.exp(-dt * Math.max(A_MIN, Math.min(A_MAX, Math.exp(p[own("logA")]![head]!))));
      let y = p[own("D")]![head]! * u;
      for (let s = 0; s < c.dState; s++) {
        const at = ch * c.dState + s;
        state[at] = decay * state[at]! + dt * b[s]! * u;
        y += cOut[s]! * state[at]!;
      }
      gated[ch] = y * float.silu(z[ch]!);
    }
    return float.linear(p, own("out"), float.rmsNorm(gated));
  });
}

function toImage(exporter: Exporter, i: number, c: SsmConfig): SsmBlock {
  const { net, residualScale } = exporter;
  const own = (name: string): string => `b${i}.${name}`;
  const scale = (name: string): number => net.scales[own(name)]!;
  const scanShift = 7 + Math.ceil(Math.log2(c.dState));
  const accScale = scale("C") * scale("siluX") * scale("B") * 2 ** (scanShift - STATE_BITS);
  const conv = quantizeLinear(exporter, [own("conv")], scale("x"), [scale("conv")]); // rows of dConv taps, one per channel
  const logA = net.parameters[own("logA")]!;
  const d = net.parameters[own("D")]!;
  return {
    kind: "ssm",
    epsilon: integerEpsilon(net.config.dModel, residualScale),
    gateEpsilon: integerEpsilon(c.dInner, scale("y") * scale("siluZ") * 2 ** Y_LIMIT_BITS),
    dInner: c.dInner,
    nHeads: c.nHeads,
    headDim: c.headDim,
    dState: c.dState,
    dConv: c.dConv,
    scanShift,
    inProj: quantizeLinear(exporter, ["z", "x", "B", "C", "dt"].map(own), NORM_SCALE, [
      scale("z"),
      scale("x"),
      scale("B"),
      scale("C"),
      DT_RAW_SCALE,
    ]),
    outProj: quantizeLinear(exporter, [own("out")], NORM_SCALE, [residualScale]),
    convWeights: transpose(conv.weights, c.dInner, c.dConv),
    convBias: conv.bias,
    convMultiplier: conv.multiplier,
    convShift: conv.shift,
    siluX: siluTable(scale("conv"), scale("siluX")),
    siluZ: siluTable(scale("z"), scale("siluZ")),
    a: Int32Array.from(logA, (value) => Math.round(Math.min(A_MAX, Math.max(A_MIN, Math.exp(value))) * Math.LOG2E * 4096)),
    d: Int32Array.from(d, (value) => Math.round(value / (accScale / scale("siluX")))),
    y: toFixedScale(accScale / scale("y")),
  };
}
