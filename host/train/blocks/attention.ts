import { lax, numpy as np } from "@jax-js/jax";
import { toFixedScale } from "../../core/arithmetic/fixed-point.ts";
import type { AttentionBlock } from "../../core/image/image-types.ts";
import * as float from "../float-layers.ts";
import { type Arrays, activation, type Breaks, linear, type Numerics, type Parameters, rmsNorm, silu } from "../layers.ts";
import { CHUNK_PATCHES, NORM_SCALE } from "../net-constants.ts";
import { type Exporter, integerEpsilon, quantizeLinear, siluTable } from "../quantise.ts";
import type { Add, Define } from "./block-kind.ts";

/** Sliding-window attention without position encoding, then a gated MLP. */
export interface AttentionConfig {
  readonly kind: "attention";
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly headDim: number;
  readonly windowPatches: number;
  readonly dMlp: number;
}

export const attention = {
  kind: "attention",
  activations: ["q", "k", "v", "o", "gate", "up", "silu", "m"],
  mixers: 2,
  reachPatches: ({ windowPatches }: AttentionConfig): number => windowPatches,
  stateElements: ({ windowPatches, nKvHeads, headDim }: AttentionConfig) => ({ scan: 0, others: 2 * windowPatches * nKvHeads * headDim }),
  parameters(block: AttentionConfig, dModel: number, { linear: matrix }: Define): void {
    matrix("q", dModel, block.nHeads * block.headDim);
    matrix("k", dModel, block.nKvHeads * block.headDim);
    matrix("v", dModel, block.nKvHeads * block.headDim);
    matrix("o", block.nHeads * block.headDim, dModel);
    matrix("gate", dModel, block.dMlp);
    matrix("up", dModel, block.dMlp);
    matrix("down", block.dMlp, dModel);
  },
  forward(residual: np.Array, i: number, c: AttentionConfig, p: Arrays, numerics: Numerics, breaks: Breaks, add: Add): np.Array {
    const mixed = add(residual.ref, attentionMixer(residual, i, c, p, numerics, breaks));
    return add(mixed.ref, gatedMlp(mixed, i, p, numerics));
  },
  forwardFloat(p: Parameters, i: number, c: AttentionConfig, rows: readonly Float64Array[]): Float64Array[] {
    const updates = floatAttention(p, i, c, rows);
    return rows.map((row, t) =>
      addMlp(
        p,
        i,
        row.map((value, j) => value + updates[t]![j]!),
      ),
    );
  },
  toImage,
};

/** Residual (B, L, dModel) → what attention over the last W = 32 positions adds to it. Source: arXiv 1706.03762, 2305.13245. */
function attentionMixer(residual: np.Array, i: number, c: AttentionConfig, p: Arrays, numerics: Numerics, breaks: Breaks): np.Array {
  const [B, L] = residual.shape as [number, number];
  const { nHeads, nKvHeads: G, headDim: P } = c;
  const R = nHeads / G;
  const Q = Math.min(CHUNK_PATCHES, L);
  const K = L / Q;
  const n = rmsNorm(residual, numerics);
  const project = (name: string, x: np.Array): np.Array => activation(`b${i}.${name}`, linear(x, `b${i}.${name}`, p, numerics), numerics);
  const q = project("q", n.ref)
    .reshape([B, K, Q, G, R, P])
    .transpose([0, 1, 3, 4, 2, 5])
    .reshape([B, K, G, R * Q, P]);
  const keys = withPreviousChunk(project("k", n.ref).reshape([B, K, Q, G * P]));
  const values = withPreviousChunk(project("v", n).reshape([B, K, Q, G * P]));
  const S = keys.shape[2]!;
  const kt = keys.reshape([B, K, S, G, P]).transpose([0, 1, 3, 4, 2]); // (B, K, G, P, S)
  const v = values.reshape([B, K, S, G, P]).transpose([0, 1, 3, 2, 4]); // (B, K, G, S, P)
  const scores = np
    .matmul(q, kt)
    .mul(1 / Math.sqrt(P))
    .reshape([B, K, G, R, Q, S])
    .add(breaks.attentionMask.ref);
  const top = lax.stopGradient(np.max(scores.ref, -1, { keepdims: true }));
  const e = np.exp(scores.sub(top));
  const probabilities = e.ref.div(np.sum(e, -1, { keepdims: true })).reshape([B, K, G, R * Q, S]);
  const o = np
    .matmul(probabilities, v)
    .reshape([B, K, G, R, Q, P])
    .transpose([0, 1, 4, 2, 3, 5])
    .reshape([B, L, nHeads * P]);
  return linear(activation(`b${i}.o`, o, numerics), `b${i}.o`, p, numerics);
}

/** Residual (B, L, dModel) → what the gated MLP adds to it. Source: arXiv 2002.05202. */
function gatedMlp(residual: np.Array, i: number, p: Arrays, numerics: Numerics): np.Array {
  const own = (name: string): string => `b${i}.${name}`;
  const n = rmsNorm(residual, numerics);
  const gate = activation(own("gate"), linear(n.ref, own("gate"), p, numerics), numerics);
  const up = activation(own("up"), linear(n, own("up"), p, numerics), numerics);
  const m = activation(own("silu"), silu(gate), numerics).mul(up);
  return linear(activation(own("m"), m, numerics), own("down"), p, numerics);
}

/** (B, K, Q, n) → (B, K, 2Q, n): each chunk after the one before it (zeros before the first). One chunk stays as it is. */
function withPreviousChunk(x: np.Array): np.Array {
  const [B, K, Q, n] = x.shape as [number, number, number, number];
  if (K === 1) return x;
  const previous = np.concatenate([np.zeros([B, 1, Q, n]), x.ref.slice([], [0, K - 1], [], [])], 1);
  return np.concatenate([previous, x], 2);
}

function floatAttention(p: Parameters, i: number, c: AttentionConfig, rows: readonly Float64Array[]): Float64Array[] {
  const own = (name: string): string => `b${i}.${name}`;
  const keys: Float64Array[] = [];
  const values: Float64Array[] = [];
  return rows.map((row) => {
    const n = float.rmsNorm(row);
    const q = float.linear(p, own("q"), n);
    keys.push(float.linear(p, own("k"), n));
    values.push(float.linear(p, own("v"), n));
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
    return float.linear(p, own("o"), out);
  });
}

function addMlp(p: Parameters, i: number, row: Float64Array): Float64Array {
  const n = float.rmsNorm(row);
  const gate = float.linear(p, `b${i}.gate`, n);
  const up = float.linear(p, `b${i}.up`, n);
  const down = float.linear(
    p,
    `b${i}.down`,
    gate.map((value, j) => float.silu(value) * up[j]!),
  );
  return row.map((value, j) => value + down[j]!);
}

function toImage(exporter: Exporter, i: number, c: AttentionConfig): AttentionBlock {
  const { net, residualScale } = exporter;
  const own = (name: string): string => `b${i}.${name}`;
  const scale = (name: string): number => net.scales[own(name)]!;
  const epsilon = integerEpsilon(net.config.dModel, residualScale);
  return {
    kind: "attention",
    epsilon,
    mlpEpsilon: epsilon,
    nHeads: c.nHeads,
    nKvHeads: c.nKvHeads,
    headDim: c.headDim,
    windowPatches: c.windowPatches,
    dMlp: c.dMlp,
    score: toFixedScale(((scale("q") * scale("k")) / Math.sqrt(c.headDim)) * Math.LOG2E * 65536),
    qkv: quantizeLinear(exporter, ["q", "k", "v"].map(own), NORM_SCALE, [scale("q"), scale("k"), scale("v")]),
    oProj: quantizeLinear(exporter, [own("o")], scale("o"), [residualScale]),
    gateUp: quantizeLinear(exporter, ["gate", "up"].map(own), NORM_SCALE, [scale("gate"), scale("up")]),
    down: quantizeLinear(exporter, [own("down")], scale("m"), [residualScale]),
    silu: siluTable(scale("gate"), scale("silu")),
    out: toFixedScale((scale("v") * 2 ** -15) / scale("o")),
    mlp: toFixedScale((scale("silu") * scale("up")) / scale("m")),
  };
}
