import type { AttentionConfig, SsmConfig } from "../blocks/block.ts";
import { type AttentionInputs, NetGraph, type ScanInputs } from "./net-graph.ts";

/** The net over a whole window from a reset state: it looks back within its own rows. */
export class WindowGraph extends NetGraph {
  /** Depthwise over the last dConv rows: (L, dInner) → (L, dInner). */
  protected override causalConv(x: string, i: number, { dInner, dConv }: SsmConfig): string {
    const g = this.g;
    const taps = this.array(`b${i}.conv.w`); // (dConv, dInner), the present last
    const weights = Float32Array.from({ length: dInner * dConv }, (_, at) => taps[(at % dConv) * dInner + Math.floor(at / dConv)]!);
    const columns = this.reshape(g.op("Transpose", [x], { perm: [1, 0] }), [1, dInner, this.patches]);
    const inputs = [columns, g.floats(weights, [dInner, 1, dConv]), g.floats(this.array(`b${i}.conv.b`), [dInner])];
    const made = g.op("Conv", inputs, { group: dInner, pads: [dConv - 1, 0], kernel_shape: [dConv] });
    return g.op("Transpose", [this.reshape(made, [dInner, this.patches])], { perm: [1, 0] });
  }

  /** The chunked matmul form with one chunk (arXiv 2405.21060, listing 1). */
  protected override scan({ u, b, c, dt }: ScanInputs, i: number, { nHeads: H, headDim: P, dInner }: SsmConfig): string {
    const g = this.g;
    const L = this.patches;
    const lower = g.floats(
      Float32Array.from({ length: L * L }, (_, at) => (at % L <= Math.floor(at / L) ? 1 : 0)),
      [L, L],
    );
    const sums = g.op("MatMul", [lower, g.op("Mul", [dt, this.rates(i)])]); // (L, H): log of the decay since the start
    const byHead = g.op("Transpose", [sums], { perm: [1, 0] });
    const between = g.op("Sub", [this.reshape(byHead, [H, L, 1]), this.reshape(byHead, [H, 1, L])]);
    const decay = g.op("Mul", [g.op("Exp", [g.op("Min", [between, g.scalar(0)])]), lower]); // (H, L, L)
    const weights = g.op("Mul", [g.op("MatMul", [c, g.op("Transpose", [b], { perm: [1, 0] })]), decay]);
    const heads = g.op("Transpose", [this.reshape(u, [L, H, P])], { perm: [1, 0, 2] }); // (H, L, P)
    const steps = this.reshape(g.op("Transpose", [dt], { perm: [1, 0] }), [H, L, 1]);
    const scanned = g.op("MatMul", [weights, g.op("Mul", [heads, steps])]);
    const passed = g.op("Mul", [heads, g.floats(this.array(`b${i}.D`), [H, 1, 1])]);
    return this.reshape(g.op("Transpose", [g.op("Add", [scanned, passed])], { perm: [1, 0, 2] }), [L, dInner]);
  }

  protected override attend({ q, k, v }: AttentionInputs, _i: number, c: AttentionConfig): string {
    const g = this.g;
    const L = this.patches;
    const { nHeads, nKvHeads: G, headDim: P } = c;
    const R = nHeads / G;
    const queries = g.op("Transpose", [this.reshape(q, [L, G, R, P])], { perm: [1, 2, 0, 3] }); // (G, R, L, P)
    const keys = g.op("Transpose", [this.reshape(k, [L, G, 1, P])], { perm: [1, 2, 3, 0] }); // (G, 1, P, L)
    const values = g.op("Transpose", [this.reshape(v, [L, G, 1, P])], { perm: [1, 2, 0, 3] });
    const mask = Float32Array.from({ length: L * L }, (_, at) => {
      const back = Math.floor(at / L) - (at % L);
      return back >= 0 && back < c.windowPatches ? 0 : -1e9;
    });
    const scores = g.op("Mul", [g.op("MatMul", [queries, keys]), g.scalar(1 / Math.sqrt(P))]);
    const shares = g.op("Softmax", [g.op("Add", [scores, g.floats(mask, [L, L])])], { axis: -1 });
    const mixed = g.op("Transpose", [g.op("MatMul", [shares, values])], { perm: [2, 0, 1, 3] }); // (L, G, R, P)
    return this.reshape(mixed, [L, nHeads * P]);
  }
}
