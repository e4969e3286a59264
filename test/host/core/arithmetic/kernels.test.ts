import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argmaxLabel, computeConfidence } from "../../../../host/core/arithmetic/exit-head.ts";
import { quantiseFrame } from "../../../../host/core/arithmetic/features.ts";
import { toFixedScale } from "../../../../host/core/arithmetic/fixed-point.ts";
import { linearS8, linearToResidual, rowsToS8, rowsToS16 } from "../../../../host/core/arithmetic/linear-s8.ts";
import type { AttentionBlock, Exit, LinearTensors, SsmBlock } from "../../../../host/core/image/image-types.ts";
import { randomImage } from "../../../golden/random-image.ts";
import { randomLinear, siluTable } from "../../../golden/random-tensors.ts";
import { attentionS8 } from "../../../reference/attention-s8.ts";
import { conv1dS8 } from "../../../reference/conv1d-s8.ts";
import { gatedS8 } from "../../../reference/gated-mlp.ts";
import { gateS16, selectiveScan } from "../../../reference/selective-scan.ts";
import { seeded } from "../../../support/random.ts";

const ROUNDING = 0.5 + 1e-6; // one rounding, and a multiplier of 31 bits
const SCAN_STATE_TOLERANCE = 2 ** -14; // of the largest |state|: Q16 decay and Δ, their tables
const ATTENTION_TOLERANCE = 1; // steps of s8
const CONFIDENCE_TOLERANCE = 5 / 32768;

const s8 = fc.integer({ min: -128, max: 127 });
const random = seeded(3);
const randomS8 = (n: number): Int8Array => Int8Array.from({ length: n }, () => Math.floor(random() * 256) - 128);
const clamp = (x: number, bits: number): number => Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, x));
const identity = Int8Array.from({ length: 256 }, (_, i) => i - 128);

function blockOf<K extends "ssm" | "attention">(kind: K, seed: number): K extends "ssm" ? SsmBlock : AttentionBlock {
  const image = randomImage(seed, { pattern: kind === "ssm" ? "S" : "A" });
  return image.blocks[0] as K extends "ssm" ? SsmBlock : AttentionBlock;
}

describe("linearS8", () => {
  it("is the exact sum, and requantises within a rounding, for odd and even sizes", () => {
    for (const [nIn, nOut] of [
      [1, 1],
      [7, 3],
      [16, 16],
      [33, 5],
    ] as const) {
      const linear = randomLinear(random, nIn, nOut, 30, () => 60);
      const x = randomS8(nIn);
      const acc = linearS8(x, linear);
      const s8Rows = rowsToS8(acc, linear);
      const s16Rows = rowsToS16(acc, linear);
      for (let row = 0; row < nOut; row++) {
        const exact = x.reduce((sum, v, i) => sum + v * linear.weights[row * nIn + i]!, linear.bias[row]!);
        const real = exact * linear.multiplier[row]! * 2 ** (linear.shift[row]! - 31);
        expect(acc[row]).toBe(exact);
        expect(Math.abs(s8Rows[row]! - clamp(real, 8))).toBeLessThanOrEqual(ROUNDING);
        expect(Math.abs(s16Rows[row]! - clamp(real, 16))).toBeLessThanOrEqual(ROUNDING);
      }
    }
  });

  it("holds the largest products of 512 inputs, and clamps what joins the residual", () => {
    const linear: LinearTensors = {
      nIn: 512,
      nOut: 2,
      weights: new Int8Array(1024).fill(-128),
      bias: Int32Array.of(2 ** 30, -(2 ** 30)),
      multiplier: Int32Array.of(2 ** 30, 2 ** 30),
      shift: Int8Array.of(0, 0),
    };
    expect([...linearS8(new Int8Array(512).fill(-128), linear)]).toEqual([2 ** 30 + 2 ** 23, 2 ** 23 - 2 ** 30]);
    const residual = Int16Array.of(1, -1);
    linearToResidual(new Int8Array(512).fill(-128), linear, residual);
    expect([...residual]).toEqual([32767, -32768]);
    linearToResidual(new Int8Array(512).fill(-128), linear, residual);
    expect([...residual]).toEqual([32767, -32768]);
  });
});

describe("conv1dS8", () => {
  it("equals a causal convolution over the whole sequence, zeros before it, for 1 to 4 taps", () => {
    for (let seed = 0; seed < 12; seed++) {
      const block = { ...blockOf("ssm", seed), siluX: identity };
      const { dInner, dConv } = block;
      const past = new Int8Array((dConv - 1) * dInner);
      const xs = Array.from({ length: 9 }, () => randomS8(dInner));
      for (let t = 0; t < xs.length; t++) {
        const u = conv1dS8(xs[t]!, past, block);
        for (let c = 0; c < dInner; c++) {
          let sum = block.convBias[c]!;
          for (let k = 0; k < dConv; k++) sum += block.convWeights[k * dInner + c]! * (xs[t - dConv + 1 + k]?.[c] ?? 0);
          const real = sum * block.convMultiplier[c]! * 2 ** (block.convShift[c]! - 31);
          expect(Math.abs(u[c]! - clamp(real, 8))).toBeLessThanOrEqual(ROUNDING);
        }
      }
    }
  });
});

describe("selectiveScan", () => {
  it("follows h = a·h + Δ·B·u, y = C·h + D·u in float64 within its tolerances, over 60 steps", () => {
    for (let seed = 0; seed < 6; seed++) {
      const block = blockOf("ssm", seed);
      const { dInner, dState, nHeads, headDim } = block;
      let worstState = 0;
      let worstOutput = 0;
      let largest = 0;
      const h = new Int32Array(dInner * dState);
      for (let step = 0; step < 60; step++) {
        const raw = Int16Array.from({ length: nHeads }, () => Math.floor((random() - 0.5) * 65536));
        const [b, c, u] = [randomS8(dState), randomS8(dState), randomS8(dInner)] as const;
        const before = Float64Array.from(h);
        const y = selectiveScan(raw, b, c, u, h, block);
        for (let i = 0; i < dInner; i++) {
          const head = Math.floor(i / headDim);
          const dt = Math.log1p(Math.exp(raw[head]! / 4096));
          const a = 2 ** ((-dt * block.a[head]!) / 4096);
          let sum = block.d[head]! * u[i]!;
          for (let n = 0; n < dState; n++) {
            const exact = a * before[i * dState + n]! + dt * b[n]! * u[i]! * 4096;
            worstState = Math.max(worstState, Math.abs(h[i * dState + n]! - exact));
            largest = Math.max(largest, Math.abs(h[i * dState + n]!));
            sum += c[n]! * h[i * dState + n]! * 2 ** -block.scanShift;
          }
          const real = sum * block.y.multiplier * 2 ** (block.y.shift - 31);
          const dropped = 128 * dState /* by scanShift, up to 1 a state */ * block.y.multiplier * 2 ** (block.y.shift - 31);
          worstOutput = Math.max(worstOutput, Math.abs(y[i]! - clamp(real, 16)) - dropped);
        }
      }
      expect(worstState).toBeLessThanOrEqual(SCAN_STATE_TOLERANCE * 2 ** 30);
      expect(worstOutput).toBeLessThanOrEqual(ROUNDING);
      expect(largest).toBeLessThan(2 ** 30);
    }
  });

  it("keeps its state below 2^30 at the slowest decay and the largest inputs", () => {
    const block = { ...blockOf("ssm", 1), a: Int32Array.of(739, 739) };
    const { dInner, dState, nHeads } = block;
    for (const level of [-32768, -20000, 0, 32767]) {
      const h = new Int32Array(dInner * dState);
      const input = [new Int8Array(dState).fill(-128), new Int8Array(dState).fill(-128), new Int8Array(dInner).fill(-128)] as const;
      const steps = level < -30000 ? 60_000 : 5000; // Δ = 3·10^−4 takes long to settle
      const one = { ...block, dState: 1, headDim: 1 };
      for (let step = 0; step < steps; step++) {
        selectiveScan(
          new Int16Array(nHeads).fill(level),
          input[0].subarray(0, 1),
          input[1].subarray(0, 1),
          input[2].subarray(0, nHeads),
          h,
          one,
        );
      }
      expect(Math.max(...h)).toBeLessThan(2 ** 30);
      expect(Math.min(...h)).toBeGreaterThanOrEqual(0);
    }
  });

  it("gates half up, and wraps the one product that leaves s16", () => {
    expect([...gateS16(Int16Array.of(1, -1, 1, 300), Int8Array.of(64, 64, 63, -128), identity)]).toEqual([1, 0, 0, -300]);
    expect([...gateS16(Int16Array.of(-32768, 32767), Int8Array.of(-128, 127), identity)]).toEqual([-32768, 32511]);
  });
});

describe("attentionS8", () => {
  it("is within ATTENTION_TOLERANCE of float attention, KV heads shared, 1 to W slots", () => {
    for (let seed = 0; seed < 20; seed++) {
      const block = blockOf("attention", seed);
      const { nHeads, nKvHeads, headDim, windowPatches } = block;
      const row = nKvHeads * headDim;
      const q = randomS8(nHeads * headDim).map((v) => v >> 1);
      const keys = randomS8(windowPatches * row).map((v) => v >> 1);
      const values = randomS8(windowPatches * row);
      const n = 1 + (seed % windowPatches);
      const y = attentionS8(q, keys, values, n, block);
      const scale = (s: { multiplier: number; shift: number }): number => s.multiplier * 2 ** (s.shift - 31);
      for (let i = 0; i < nHeads * headDim; i++) {
        const head = Math.floor(i / headDim);
        const kv = Math.floor((head * nKvHeads) / nHeads) * headDim;
        const scores = Array.from({ length: n }, (_, j) =>
          Array.from({ length: headDim }, (_, d) => q[head * headDim + d]! * keys[j * row + kv + d]!).reduce((a, b) => a + b),
        );
        const e = scores.map((s) => 2 ** ((s * scale(block.score)) / 65536));
        const total = e.reduce((a, b) => a + b);
        const sum = e.reduce((a, v, j) => a + (v / total) * values[j * row + kv + (i % headDim)]!, 0);
        expect(Math.abs(y[i]! - clamp(sum * 32768 * scale(block.out), 8))).toBeLessThanOrEqual(ATTENTION_TOLERANCE);
      }
    }
  });
});

it("gatedS8 multiplies SiLU of the first half by the second within a rounding", () => {
  const block = { ...blockOf("attention", 2), dMlp: 4, silu: siluTable(16), mlp: toFixedScale(1 / 16) };
  fc.assert(
    fc.property(fc.array(s8, { minLength: 8, maxLength: 8 }), (values) => {
      const m = gatedS8(Int8Array.from(values), block);
      for (let i = 0; i < 4; i++) {
        const real = (block.silu[values[i]! + 128]! * values[4 + i]!) / 16;
        expect(Math.abs(m[i]! - clamp(real, 8))).toBeLessThanOrEqual(ROUNDING);
      }
    }),
  );
});

describe("an exit", () => {
  const exit = { temperature: toFixedScale(64 * Math.LOG2E) } as Exit;

  it("labels with the first of the largest logits", () => {
    expect(argmaxLabel(Int16Array.of(-3, 5, 2, 5))).toBe(1);
    expect(argmaxLabel(new Int16Array(4).fill(-32768))).toBe(0);
  });

  it("is as confident as a float softmax of its logits, from a tie to certainty", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -8000, max: 8000 }), { minLength: 2, maxLength: 12 }), (values) => {
        const top = Math.max(...values);
        const sum = values.reduce((total, v) => total + Math.exp((v - top) / 1024), 0);
        expect(Math.abs(computeConfidence(exit, values.indexOf(top), Int16Array.from(values)) / 32768 - 1 / sum)).toBeLessThanOrEqual(
          CONFIDENCE_TOLERANCE,
        );
      }),
    );
    expect(computeConfidence(exit, 0, Int16Array.of(32767, -32768))).toBe(32768);
    expect(computeConfidence(exit, 0, Int16Array.of(7, 7))).toBe(16384);
  });
});

it("quantiseFrame takes each channel by its own zero point and scale, and clamps", () => {
  const features = [
    { zeroPoint: 100, ...toFixedScale(1 / 16), knee: 0 },
    { zeroPoint: -32768, ...toFixedScale(1), knee: 0 },
    { zeroPoint: 0, multiplier: 0, shift: 0, knee: 0 },
  ];
  expect([...quantiseFrame(Int16Array.of(108, 32767, 5), features)]).toEqual([1, 127, 0]); // 8/16 rounds half up
  expect([...quantiseFrame(Int16Array.of(92, -32768, -5), features)]).toEqual([0, 0, 0]);
});
