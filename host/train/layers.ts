import { lax, numpy as np } from "@jax-js/jax";
import { A_MAX, A_MIN, type AttentionConfig, CHUNK_PATCHES, DT_RAW_LIMIT, NORM_EPSILON, NORM_SCALE, type SsmConfig } from "./net-config.ts";

/** Parameters and scales inside a traced function. Each array is used up by its last use: every other one takes `.ref`. */
export type Arrays = Record<string, np.Array>;

/**
 * What the layers need beside parameters. `scales` undefined = float; else int8 is imitated where the core has it.
 * `observe` is called with each activation that will need a scale.
 */
export interface Numerics {
  readonly scales: Arrays | undefined;
  readonly observe?: (name: string, value: np.Array) => void;
}

/**
 * Breaks in a batch of sequences. From a reset on, scan and attention know nothing of what came before; the convolution still reads the
 * three patches before it, which a rebuild in the core does not have.
 */
export interface Breaks {
  readonly logDecay: np.Array; // (B, L, 1): 0, or −60 at a reset
  readonly attentionMask: np.Array; // (B or 1, nChunks, 1, 1, Q, K) added to scores: 0 or −10⁴
}

/** x · 1/(1 + e^−x), with finite gradients everywhere. */
export function silu(x: np.Array): np.Array {
  const e = np.exp(np.maximum(x.ref, -80).neg());
  return x.mul(np.reciprocal(e.add(1)));
}

/** log(1 + e^x), with finite gradients everywhere. */
export function softplus(x: np.Array): np.Array {
  return np.maximum(x.ref, 0).add(np.log(np.exp(np.absolute(x).neg()).add(1)));
}

/** Rounds to scale·[−128, 127], half up; the gradient passes where nothing was clipped (straight-through). */
export function fakeQuantize(x: np.Array, scale: np.Array | number): np.Array {
  const steps = typeof scale === "number" ? x.mul(1 / scale) : x.div(scale.ref);
  const clipped = np.clip(steps, -128, 127);
  const rounded = np.floor(clipped.ref.add(0.5));
  const passed = clipped.ref.add(lax.stopGradient(rounded.sub(clipped)));
  return typeof scale === "number" ? passed.mul(scale) : passed.mul(scale);
}

/** Weights (rows, nOut) with one symmetric int8 scale a column: the core's one scale an output row. */
export function fakeQuantizeWeights(w: np.Array): np.Array {
  const scale = np.maximum(lax.stopGradient(np.max(np.absolute(w.ref), 0, { keepdims: true })).mul(1 / 127), 1e-8);
  const steps = w.div(scale.ref);
  const rounded = np.floor(steps.ref.add(0.5));
  return steps.ref.add(lax.stopGradient(rounded.sub(steps))).mul(scale);
}

/** (…, n) → int8 scale 1/32, no gain: it is folded into the next linear. Source: arXiv 1910.07467. */
export function rmsNorm(x: np.Array, numerics: Numerics): np.Array {
  const meanSquare = np.mean(x.ref.mul(x.ref), -1, { keepdims: true });
  const y = x.mul(np.reciprocal(np.sqrt(meanSquare.add(NORM_EPSILON))));
  return numerics.scales ? fakeQuantize(y, NORM_SCALE) : y;
}

/** x (B, L, nIn) · w (nIn, nOut) + b. */
export function linear(x: np.Array, name: string, p: Arrays, numerics: Numerics): np.Array {
  const w = numerics.scales ? fakeQuantizeWeights(p[`${name}.w`]!) : p[`${name}.w`]!;
  return np.matmul(x, w).add(p[`${name}.b`]!);
}

/** An activation that the core holds as int8. */
export function activation(name: string, x: np.Array, numerics: Numerics): np.Array {
  numerics.observe?.(name, x.ref);
  return numerics.scales ? fakeQuantize(x, numerics.scales[name]!) : x;
}

/** Residual (B, L, dModel) → what an ssm block adds to it. Source: arXiv 2405.21060, listing 1 (chunked matmul form). */
export function ssmBlock(residual: np.Array, i: number, c: SsmConfig, p: Arrays, numerics: Numerics, breaks: Breaks): np.Array {
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
export function selectiveScan(
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

/** Residual (B, L, dModel) → what attention over the last W = 32 positions adds to it. Source: arXiv 1706.03762, 2305.13245. */
export function attentionMixer(residual: np.Array, i: number, c: AttentionConfig, p: Arrays, numerics: Numerics, breaks: Breaks): np.Array {
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
export function gatedMlp(residual: np.Array, i: number, p: Arrays, numerics: Numerics): np.Array {
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
