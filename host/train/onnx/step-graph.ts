import type { AttentionConfig, SsmConfig } from "../blocks/block.ts";
import type { FloatModel } from "../float-forward.ts";
import type { Graph } from "./graph.ts";
import { type AttentionInputs, NetGraph, type ScanInputs } from "./net-graph.ts";

/** What a step carries to the next: input `name` and output `name`.next, float32, zeros at a reset. */
export interface OnnxState {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The net over one patch: what it looks back to comes in as states and goes out for the next patch, in constant memory. */
export class StepGraph extends NetGraph {
  readonly states: OnnxState[] = [];

  constructor(g: Graph, model: FloatModel) {
    super(g, model, 1);
  }

  /** The dConv − 1 rows before this one. */
  protected override causalConv(x: string, i: number, { dInner, dConv }: SsmConfig): string {
    const g = this.g;
    const rows = this.#shift(`b${i}.conv`, x, [dConv, dInner]);
    const taps = g.floats(this.array(`b${i}.conv.w`), [dConv, dInner]);
    const sum = g.op("ReduceSum", [g.op("Mul", [rows, taps]), g.integers([0])], { keepdims: 1 });
    return g.op("Add", [sum, g.floats(this.array(`b${i}.conv.b`), [dInner])]);
  }

  /** h ← exp(dt · A) · h + dt · u Bᵀ, y = h C + D u (arXiv 2405.21060, equation 2). */
  protected override scan({ u, b, c, dt }: ScanInputs, i: number, { nHeads: H, headDim: P, dState: N, dInner }: SsmConfig): string {
    const g = this.g;
    const name = `b${i}.scan`;
    const before = this.#state(name, [H, P, N]);
    const decay = this.reshape(g.op("Exp", [g.op("Mul", [dt, this.rates(i)])]), [H, 1, 1]);
    const heads = this.reshape(u, [H, P, 1]);
    const added = g.op("Mul", [g.op("Mul", [heads, this.reshape(dt, [H, 1, 1])]), this.reshape(b, [1, 1, N])]);
    const after = g.op("Add", [g.op("Mul", [decay, before]), added]);
    g.output(`${name}.next`, after, [H, P, N]);
    const read = g.op("MatMul", [after, this.reshape(c, [N, 1])]);
    const passed = g.op("Mul", [heads, g.floats(this.array(`b${i}.D`), [H, 1, 1])]);
    return this.reshape(g.op("Add", [read, passed]), [1, dInner]);
  }

  /** The last windowPatches keys and values; `held` is 1 where a row has been written since the reset. */
  protected override attend(
    { q, k, v }: AttentionInputs,
    i: number,
    { nHeads, nKvHeads: G, headDim: P, windowPatches: W }: AttentionConfig,
  ): string {
    const g = this.g;
    const R = nHeads / G;
    const allKeys = this.#shift(`b${i}.keys`, k, [W, G * P]);
    const allValues = this.#shift(`b${i}.values`, v, [W, G * P]);
    const held = this.#shift(`b${i}.held`, g.floats([1], [1, 1]), [W, 1]);
    const mask = this.reshape(g.op("Mul", [g.op("Sub", [held, g.scalar(1)]), g.scalar(1e9)]), [1, 1, 1, W]);
    const queries = this.reshape(q, [G, R, 1, P]);
    const keys = g.op("Transpose", [this.reshape(allKeys, [W, G, 1, P])], { perm: [1, 2, 3, 0] }); // (G, 1, P, W)
    const values = g.op("Transpose", [this.reshape(allValues, [W, G, 1, P])], { perm: [1, 2, 0, 3] });
    const scores = g.op("Mul", [g.op("MatMul", [queries, keys]), g.scalar(1 / Math.sqrt(P))]);
    const shares = g.op("Softmax", [g.op("Add", [scores, mask])], { axis: -1 });
    return this.reshape(g.op("MatMul", [shares, values]), [1, nHeads * P]);
  }

  /** The last rows with this one after them; all but the oldest are the next step's state. */
  #shift(name: string, row: string, [rows, width]: readonly [number, number]): string {
    const g = this.g;
    const all = g.op("Concat", [this.#state(name, [rows - 1, width]), row], { axis: 0 });
    g.output(`${name}.next`, g.op("Slice", [all, g.integers([1]), g.integers([rows]), g.integers([0])]), [rows - 1, width]);
    return all;
  }

  #state(name: string, shape: readonly number[]): string {
    this.states.push({ name, shape });
    return this.g.input(name, shape);
  }
}
