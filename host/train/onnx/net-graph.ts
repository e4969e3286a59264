import { FIXED_KNEE_SHIFT } from "../../../assembly/layout.ts";
import type { AttentionConfig, SsmConfig } from "../blocks/block.ts";
import type { FloatModel } from "../float-forward.ts";
import { A_MAX, A_MIN, DT_RAW_LIMIT, INPUT_SCALE, NORM_EPSILON } from "../net-constants.ts";
import type { Graph } from "./graph.ts";

/** What the scan of a block reads, each (patches, n): the convolved input, B, C and the step sizes of the heads. */
export interface ScanInputs {
  readonly u: string;
  readonly b: string;
  readonly c: string;
  readonly dt: string;
}

/** Queries (patches, nHeads · headDim), keys and values (patches, nKvHeads · headDim). */
export interface AttentionInputs {
  readonly q: string;
  readonly k: string;
  readonly v: string;
}

/** The layers of a net as operators; rows are (patches, n). What looks back in time is left to a window's graph or a step's. */
export abstract class NetGraph {
  protected readonly g: Graph;
  private readonly model: FloatModel;
  protected readonly patches: number;

  constructor(g: Graph, model: FloatModel, patches: number) {
    this.g = g;
    this.model = model;
    this.patches = patches;
  }

  /** Depthwise over the last dConv rows: (patches, dInner) → (patches, dInner). */
  protected abstract causalConv(x: string, i: number, config: SsmConfig): string;
  /** The state space: (patches, dInner), before the gate. */
  protected abstract scan(inputs: ScanInputs, i: number, config: SsmConfig): string;
  /** Attention over the last windowPatches rows: (patches, nHeads · headDim). */
  protected abstract attend(inputs: AttentionInputs, i: number, config: AttentionConfig): string;

  /** Draws the net: input `frames` (patches · patchFrames, channels), outputs `exit0` … (classes,) at the last patch. */
  draw(): void {
    const { g, patches } = this;
    const { config } = this.model;
    let rows = this.linear("embed", this.features(g.input("frames", [patches * config.patchFrames, config.channels])));
    config.blocks.forEach((block, i) => {
      rows = block.kind === "ssm" ? this.ssm(rows, i, block) : this.attention(rows, i, block);
      const exit = config.exits.indexOf(i);
      if (exit < 0) return;
      const last = patches === 1 ? rows : g.op("Slice", [rows, g.integers([patches - 1]), g.integers([patches]), g.integers([0])]);
      g.output(`exit${exit}`, g.op("Reshape", [this.linear(`e${exit}`, this.rmsNorm(last)), g.integers([config.nClasses])]), [
        config.nClasses,
      ]);
    });
  }

  /** Counts (frames, channels) → the net's input (patches, patchFrames · channels), unrounded. */
  private features(counts: string): string {
    const g = this.g;
    const { stepCounts, zeroPointCounts, kneeSteps } = this.model.features;
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
    return this.reshape(g.op("Mul", [clipped, g.scalar(INPUT_SCALE)]), [this.patches, -1]);
  }

  private linear(name: string, x: string): string {
    return this.linears([name], x);
  }

  private rmsNorm(x: string): string {
    const g = this.g;
    const mean = g.op("ReduceMean", [g.op("Mul", [x, x])], { axes: [-1], keepdims: 1 });
    return g.op("Div", [x, g.op("Sqrt", [g.op("Add", [mean, g.scalar(NORM_EPSILON)])])]);
  }

  private ssm(residual: string, i: number, c: SsmConfig): string {
    const g = this.g;
    const own = (name: string): string => `b${i}.${name}`;
    const { nHeads: H, dState: N, dInner } = c;
    const sizes = [dInner, dInner, N, N, H];
    const joined = this.linears(["z", "x", "B", "C", "dt"].map(own), this.rmsNorm(residual));
    const [z, x, b, cOut, raw] = g.ops("Split", [joined, g.integers(sizes)], sizes.length, { axis: 1 }) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const u = this.silu(this.causalConv(x, i, c));
    const dt = g.op("Softplus", [g.op("Clip", [raw, g.scalar(-DT_RAW_LIMIT), g.scalar(DT_RAW_LIMIT)])]); // (L, H)
    const y = this.scan({ u, b, c: cOut, dt }, i, c);
    const gated = this.rmsNorm(g.op("Mul", [y, this.silu(z)]));
    return g.op("Add", [residual, this.linear(own("out"), gated)]);
  }

  private attention(residual: string, i: number, c: AttentionConfig): string {
    const g = this.g;
    const own = (name: string): string => `b${i}.${name}`;
    const { nHeads, nKvHeads: G, headDim: P } = c;
    const sizes = [nHeads * P, G * P, G * P];
    const joined = this.linears(["q", "k", "v"].map(own), this.rmsNorm(residual));
    const [q, k, v] = g.ops("Split", [joined, g.integers(sizes)], 3, { axis: 1 }) as [string, string, string];
    const rows = g.op("Add", [residual, this.linear(own("o"), this.attend({ q, k, v }, i, c))]);
    const [gate, up] = g.ops("Split", [this.linears([own("gate"), own("up")], this.rmsNorm(rows)), g.integers([c.dMlp, c.dMlp])], 2, {
      axis: 1,
    }) as [string, string];
    return g.op("Add", [rows, this.linear(own("down"), g.op("Mul", [this.silu(gate), up]))]);
  }

  /** Several linear layers of one input as one: their results side by side. */
  private linears(names: readonly string[], x: string): string {
    const biases = names.map((name) => this.array(`${name}.b`));
    const outs = biases.map(({ length }) => length);
    const nOut = outs.reduce((sum, n) => sum + n, 0);
    const nIn = this.array(`${names[0]}.w`).length / outs[0]!;
    const weights = new Float32Array(nIn * nOut);
    let at = 0;
    for (const [n, name] of names.entries()) {
      const w = this.array(`${name}.w`); // (nIn, nOut)
      for (let k = 0; k < nIn; k++) weights.set(w.subarray(k * outs[n]!, (k + 1) * outs[n]!), k * nOut + at);
      at += outs[n]!;
    }
    const bias = Float32Array.from(biases.flatMap((values) => [...values]));
    return this.g.op("Gemm", [x, this.g.floats(weights, [nIn, nOut], names[0]), this.g.floats(bias, [nOut])]);
  }

  private silu(x: string): string {
    return this.g.op("Mul", [x, this.g.op("Sigmoid", [x])]);
  }

  /** A of each head: (nHeads,), negative. */
  protected rates(i: number): string {
    const logs = this.array(`b${i}.logA`);
    return this.g.floats(
      Array.from(logs, (value) => -Math.min(A_MAX, Math.max(A_MIN, Math.exp(value)))),
      [logs.length],
    );
  }

  protected reshape(x: string, shape: readonly number[]): string {
    return this.g.op("Reshape", [x, this.g.integers(shape)]);
  }

  protected array(name: string): Float32Array {
    return this.model.parameters[name]!;
  }
}
