import { FIXED_KNEE_SHIFT } from "../../../assembly/layout.ts";
import { DataError } from "../../core/system/errors.ts";
import type { AttentionConfig, SsmConfig } from "../blocks/block.ts";
import type { FloatModel } from "../float-forward.ts";
import { A_MAX, A_MIN, DT_RAW_LIMIT, INPUT_SCALE, NORM_EPSILON } from "../net-constants.ts";
import { type Graph, OnnxGraph } from "./graph.ts";

export interface OnnxExport {
  readonly bytes: Uint8Array;
  readonly nodes: number;
  /** Input `frames`: float32 (frames, channels), counts as the sensor gives them. Outputs `exit0` …: float32 (classes,), logits. */
  readonly frames: number;
  readonly channels: number;
  readonly exits: number;
}

/**
 * The net in floating point as an ONNX graph of one whole window of `patches` patches from a reset state: what other runtimes can run. The
 * scan is the chunked matmul form with one chunk (arXiv 2405.21060, listing 1), so its cost grows with the square of the window. Neither the
 * LDA head nor smoothing is part of it. `patches` from 1 to 512.
 */
export function exportOnnx(model: FloatModel, patches: number, about: { readonly name: string; readonly version: string }): OnnxExport {
  if (!Number.isInteger(patches) || patches < 1 || patches > 512)
    throw new DataError("BAD_WINDOW", `a window of ${patches} patches cannot be exported: give 1 to 512.`);
  const g = new OnnxGraph();
  drawNet(g, model, patches);
  const { config, parameters } = model;
  const count = Object.values(parameters).reduce((sum, { length }) => sum + length, 0);
  const properties = { parameters: String(count), window: `${patches} patches` };
  const bytes = g.encode(about.name, { producer: "dormouse-edge", version: about.version, properties });
  return { bytes, nodes: g.nodes, frames: patches * config.patchFrames, channels: config.channels, exits: config.exits.length };
}

/** Draws the net over one window: input `frames` (patches · patchFrames, channels), outputs `exit0` … (classes,). */
export function drawNet(g: Graph, model: FloatModel, patches: number): void {
  const { config } = model;
  const net = new NetGraph(g, model, patches);
  let rows = net.linear("embed", net.features(g.input("frames", [patches * config.patchFrames, config.channels])));
  config.blocks.forEach((block, i) => {
    rows = block.kind === "ssm" ? net.ssm(rows, i, block) : net.attention(rows, i, block);
    const exit = config.exits.indexOf(i);
    if (exit < 0) return;
    const last = g.op("Slice", [rows, g.integers([patches - 1]), g.integers([patches]), g.integers([0])]);
    g.output(`exit${exit}`, g.op("Reshape", [net.linear(`e${exit}`, net.rmsNorm(last)), g.integers([config.nClasses])]), [config.nClasses]);
  });
}

/** The layers of a net as operators; rows are (patches, n). */
class NetGraph {
  readonly #g: Graph;
  readonly #model: FloatModel;
  readonly #L: number;

  constructor(g: Graph, model: FloatModel, patches: number) {
    this.#g = g;
    this.#model = model;
    this.#L = patches;
  }

  /** Counts (frames, channels) → the net's input (patches, patchFrames · channels), unrounded. */
  features(counts: string): string {
    const g = this.#g;
    const { stepCounts, zeroPointCounts, kneeSteps } = this.#model.features;
    const C = stepCounts.length;
    const zero = g.floats(zeroPointCounts, [C]);
    const perStep = g.floats(
      Array.from(stepCounts, (step) => 1 / step),
      [C],
    );
    const steps = g.op("Mul", [g.op("Sub", [counts, zero]), perStep]);
    const knees = Array.from(stepCounts, (_, c) => kneeSteps?.[c] || 1e9);
    const inner = g.op("Min", [
      g.op("Max", [
        steps,
        g.floats(
          knees.map((knee) => -knee),
          [C],
        ),
      ]),
      g.floats(knees, [C]),
    ]);
    const beyond = g.op("Mul", [g.op("Sub", [steps, inner]), g.scalar(2 ** -FIXED_KNEE_SHIFT)]);
    const clipped = g.op("Clip", [g.op("Add", [inner, beyond]), g.scalar(-128), g.scalar(127)]);
    return this.#reshape(g.op("Mul", [clipped, g.scalar(INPUT_SCALE)]), [this.#L, -1]);
  }

  linear(name: string, x: string): string {
    return this.#linears([name], x);
  }

  rmsNorm(x: string): string {
    const g = this.#g;
    const mean = g.op("ReduceMean", [g.op("Mul", [x, x])], { axes: [-1], keepdims: 1 });
    return g.op("Div", [x, g.op("Sqrt", [g.op("Add", [mean, g.scalar(NORM_EPSILON)])])]);
  }

  ssm(residual: string, i: number, c: SsmConfig): string {
    const g = this.#g;
    const L = this.#L;
    const own = (name: string): string => `b${i}.${name}`;
    const { nHeads: H, headDim: P, dState: N, dInner } = c;
    const sizes = [dInner, dInner, N, N, H];
    const joined = this.#linears(["z", "x", "B", "C", "dt"].map(own), this.rmsNorm(residual));
    const [z, x, b, cOut, raw] = g.ops("Split", [joined, g.integers(sizes)], sizes.length, { axis: 1 }) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const u = this.#silu(this.#causalConv(x, i, c));
    const dt = g.op("Softplus", [g.op("Clip", [raw, g.scalar(-DT_RAW_LIMIT), g.scalar(DT_RAW_LIMIT)])]); // (L, H)
    const rates = Array.from(this.#array(own("logA")), (value) => -Math.min(A_MAX, Math.max(A_MIN, Math.exp(value))));
    const lower = g.floats(
      Float32Array.from({ length: L * L }, (_, at) => (at % L <= Math.floor(at / L) ? 1 : 0)),
      [L, L],
    );
    const sums = g.op("MatMul", [lower, g.op("Mul", [dt, g.floats(rates, [H])])]); // (L, H): log of the decay since the start
    const byHead = g.op("Transpose", [sums], { perm: [1, 0] });
    const between = g.op("Sub", [this.#reshape(byHead, [H, L, 1]), this.#reshape(byHead, [H, 1, L])]);
    const decay = g.op("Mul", [g.op("Exp", [g.op("Min", [between, g.scalar(0)])]), lower]); // (H, L, L)
    const weights = g.op("Mul", [g.op("MatMul", [cOut, g.op("Transpose", [b], { perm: [1, 0] })]), decay]);
    const heads = g.op("Transpose", [this.#reshape(u, [L, H, P])], { perm: [1, 0, 2] }); // (H, L, P)
    const steps = this.#reshape(g.op("Transpose", [dt], { perm: [1, 0] }), [H, L, 1]);
    const scanned = g.op("MatMul", [weights, g.op("Mul", [heads, steps])]);
    const passed = g.op("Mul", [heads, g.floats(this.#array(own("D")), [H, 1, 1])]);
    const y = this.#reshape(g.op("Transpose", [g.op("Add", [scanned, passed])], { perm: [1, 0, 2] }), [L, dInner]);
    const gated = this.rmsNorm(g.op("Mul", [y, this.#silu(z)]));
    return g.op("Add", [residual, this.linear(own("out"), gated)]);
  }

  attention(residual: string, i: number, c: AttentionConfig): string {
    const g = this.#g;
    const L = this.#L;
    const own = (name: string): string => `b${i}.${name}`;
    const { nHeads, nKvHeads: G, headDim: P } = c;
    const R = nHeads / G;
    const sizes = [nHeads * P, G * P, G * P];
    const joined = this.#linears(["q", "k", "v"].map(own), this.rmsNorm(residual));
    const [q, k, v] = g.ops("Split", [joined, g.integers(sizes)], 3, { axis: 1 }) as [string, string, string];
    const queries = g.op("Transpose", [this.#reshape(q, [L, G, R, P])], { perm: [1, 2, 0, 3] }); // (G, R, L, P)
    const keys = g.op("Transpose", [this.#reshape(k, [L, G, 1, P])], { perm: [1, 2, 3, 0] }); // (G, 1, P, L)
    const values = g.op("Transpose", [this.#reshape(v, [L, G, 1, P])], { perm: [1, 2, 0, 3] });
    const mask = Float32Array.from({ length: L * L }, (_, at) => {
      const back = Math.floor(at / L) - (at % L);
      return back >= 0 && back < c.windowPatches ? 0 : -1e9;
    });
    const scores = g.op("Mul", [g.op("MatMul", [queries, keys]), g.scalar(1 / Math.sqrt(P))]);
    const shares = g.op("Softmax", [g.op("Add", [scores, g.floats(mask, [L, L])])], { axis: -1 });
    const mixed = g.op("Transpose", [g.op("MatMul", [shares, values])], { perm: [2, 0, 1, 3] }); // (L, G, R, P)
    const rows = g.op("Add", [residual, this.linear(own("o"), this.#reshape(mixed, [L, nHeads * P]))]);
    const [gate, up] = g.ops("Split", [this.#linears([own("gate"), own("up")], this.rmsNorm(rows)), g.integers([c.dMlp, c.dMlp])], 2, {
      axis: 1,
    }) as [string, string];
    return g.op("Add", [rows, this.linear(own("down"), g.op("Mul", [this.#silu(gate), up]))]);
  }

  /** Several linear layers of one input as one: their results side by side. */
  #linears(names: readonly string[], x: string): string {
    const biases = names.map((name) => this.#array(`${name}.b`));
    const outs = biases.map(({ length }) => length);
    const nOut = outs.reduce((sum, n) => sum + n, 0);
    const nIn = this.#array(`${names[0]}.w`).length / outs[0]!;
    const weights = new Float32Array(nIn * nOut);
    let at = 0;
    for (const [n, name] of names.entries()) {
      const w = this.#array(`${name}.w`); // (nIn, nOut)
      for (let k = 0; k < nIn; k++) weights.set(w.subarray(k * outs[n]!, (k + 1) * outs[n]!), k * nOut + at);
      at += outs[n]!;
    }
    const bias = Float32Array.from(biases.flatMap((values) => [...values]));
    return this.#g.op("Gemm", [x, this.#g.floats(weights, [nIn, nOut], names[0]), this.#g.floats(bias, [nOut])]);
  }

  /** Depthwise over the last dConv rows: (L, dInner) → (L, dInner). */
  #causalConv(x: string, i: number, { dInner, dConv }: SsmConfig): string {
    const g = this.#g;
    const taps = this.#array(`b${i}.conv.w`); // (dConv, dInner), the present last
    const weights = Float32Array.from({ length: dInner * dConv }, (_, at) => taps[(at % dConv) * dInner + Math.floor(at / dConv)]!);
    const columns = this.#reshape(g.op("Transpose", [x], { perm: [1, 0] }), [1, dInner, this.#L]);
    const inputs = [columns, g.floats(weights, [dInner, 1, dConv]), g.floats(this.#array(`b${i}.conv.b`), [dInner])];
    const made = g.op("Conv", inputs, { group: dInner, pads: [dConv - 1, 0], kernel_shape: [dConv] });
    return g.op("Transpose", [this.#reshape(made, [dInner, this.#L])], { perm: [1, 0] });
  }

  #silu(x: string): string {
    return this.#g.op("Mul", [x, this.#g.op("Sigmoid", [x])]);
  }

  #reshape(x: string, shape: readonly number[]): string {
    return this.#g.op("Reshape", [x, this.#g.integers(shape)]);
  }

  #array(name: string): Float32Array {
    return this.#model.parameters[name]!;
  }
}
