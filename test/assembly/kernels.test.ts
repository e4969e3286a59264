import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { crc32 } from "../../host/core/arithmetic/crc32.ts";
import { exp2Neg } from "../../host/core/arithmetic/exp2-neg.ts";
import { quantiseFrame } from "../../host/core/arithmetic/features.ts";
import { requantize } from "../../host/core/arithmetic/fixed-point.ts";
import { linearS8, linearToResidual, rowsToS8, rowsToS16 } from "../../host/core/arithmetic/linear-s8.ts";
import { isqrt, rmsNorm } from "../../host/core/arithmetic/rms-norm.ts";
import { softmax } from "../../host/core/arithmetic/softmax.ts";
import { canonicalTables } from "../../host/core/arithmetic/tables.ts";
import type { AttentionBlock, LinearTensors, SsmBlock } from "../../host/core/image/image-types.ts";
import { attentionS8 } from "../reference/attention-s8.ts";
import { conv1dS8 } from "../reference/conv1d-s8.ts";
import { gatedS8 } from "../reference/gated-mlp.ts";
import { gateS16, selectiveScan } from "../reference/selective-scan.ts";
import { softplus } from "../reference/softplus.ts";
import { build, type Kernels, loadKernels, Space } from "../support/kernels.ts";
import { seeded } from "../support/random.ts";

const random = seeded(42);
const integer = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
const s8 = (n: number, least = -127, most = 127): Int8Array => Int8Array.from({ length: n }, () => integer(least, most));
const s16 = (n: number, limit = 32767): Int16Array => Int16Array.from({ length: n }, () => integer(-limit, limit));
const s32 = (n: number, limit: number): Int32Array => Int32Array.from({ length: n }, () => integer(-limit, limit));
const scales = (n: number): { multiplier: Int32Array; shift: Int8Array } => ({
  multiplier: Int32Array.from({ length: n }, () => integer(2 ** 30, 2 ** 31 - 1)),
  shift: s8(n, -20, 2),
});
/** Scales that the lanes take: shifts within 7 of each other, below 0, and now and then a row that is always zero. */
const lanedScales = (n: number): { multiplier: Int32Array; shift: Int8Array } => {
  const isZero = Array.from({ length: n }, () => integer(0, 7) === 0);
  const least = integer(-24, -8);
  return {
    multiplier: Int32Array.from(isZero, (zero) => (zero ? 0 : integer(2 ** 30, 2 ** 31 - 1))),
    shift: Int8Array.from(isZero, (zero, i) => (zero ? 0 : i === 3 ? least : least + integer(0, 7))),
  };
};
const extremes = (n: number): Int8Array[] => [new Int8Array(n).fill(-128), new Int8Array(n).fill(127), new Int8Array(n), s8(n, -128, 127)];

/** Rows at the image's stride: nIn rounded up to 16, padding zero. */
function padded({ nIn, nOut, weights }: LinearTensors): Int8Array {
  const stride = (nIn + 15) & ~15;
  const out = new Int8Array(nOut * stride);
  for (let row = 0; row < nOut; row++) out.set(weights.subarray(row * nIn, (row + 1) * nIn), row * stride);
  return out;
}

function linear(nIn: number, nOut: number, weights = s8(nIn * nOut)): LinearTensors {
  return { nIn, nOut, weights, bias: s32(nOut, 40000), ...scales(nOut) };
}

describe(`kernels (${build})`, () => {
  let k: Kernels;
  let space: Space;
  let tables: number;
  beforeAll(async () => {
    k = await loadKernels(build, 64);
    space = new Space(k);
    tables = space.s32(canonicalTables()).byteOffset;
  });

  it("requantize rounds half up, as 64-bit integers do", () => {
    const exact = (acc: number, multiplier: number, shift: number): number =>
      Number(BigInt.asIntN(32, (BigInt(acc) * BigInt(multiplier) + (1n << BigInt(30 - shift))) >> BigInt(31 - shift)));
    for (let i = 0; i < 3000; i++) {
      const shift = integer(-31, 15);
      const acc = integer(-(2 ** (31 - Math.max(shift, 0))) + 1, 2 ** (31 - Math.max(shift, 0)) - 1);
      const multiplier = integer(2 ** 30, 2 ** 31 - 1);
      expect(k.requantize(acc, multiplier, shift)).toBe(exact(acc, multiplier, shift));
      expect(requantize(acc, multiplier, shift)).toBe(exact(acc, multiplier, shift));
    }
    expect([-3, -1, 1, 3].map((acc) => k.requantize(acc, 2 ** 30, 0))).toEqual([-1, 0, 1, 2]); // halves go up
  });

  it("linear-s8 equals the oracle for odd shapes, one row, −128 and 127", () => {
    for (const [nIn, nOut] of [
      [1, 1],
      [16, 4],
      [24, 32],
      [31, 5],
      [32, 148],
      [64, 32],
      [128, 128],
      [17, 3],
    ] as const) {
      for (const x of extremes(nIn)) {
        const own = linear(nIn, nOut, x[0] === -128 ? new Int8Array(nIn * nOut).fill(-127) : undefined);
        const input = space.s8([...x, ...new Int8Array(16).fill(99)]); // what follows x meets zero padding
        const acc = space.s32(new Int32Array(nOut));
        k.linearS8(input.byteOffset, space.s8(padded(own)).byteOffset, space.s32(own.bias).byteOffset, acc.byteOffset, nIn, nOut);
        expect(acc).toEqual(linearS8(x, own));
      }
    }
    expect(space.isIntact()).toBe(true);
  });

  it("requantises rows to int8 and int16, and adds them to a residual, clamping at the limits", () => {
    const own = linear(16, 41);
    const acc = s32(41, 2 ** 28);
    const [m, s] = [space.s32(own.multiplier), space.s8(own.shift)];
    const at = space.s32(acc).byteOffset;
    const [y8, y16] = [space.s8(new Int8Array(41)), space.s16(new Int16Array(41))];
    k.requantizeS8(at, m.byteOffset, s.byteOffset, y8.byteOffset, 41, 0);
    k.requantizeS16(at, m.byteOffset, s.byteOffset, y16.byteOffset, 41);
    expect(y8).toEqual(rowsToS8(acc, own));
    expect(y16).toEqual(rowsToS16(acc, own));
    expect(new Set(y8)).toContain(127);
    expect(new Set(y16)).toContain(-32768);
    const x = s8(16);
    const residual = s16(41);
    const added = space.s16(residual);
    k.requantizeAddS16(space.s32(linearS8(x, own)).byteOffset, m.byteOffset, s.byteOffset, added.byteOffset, 41, 0);
    linearToResidual(x, own, residual);
    expect(added).toEqual(residual);
    expect(space.isIntact()).toBe(true);
  });

  it("requantises rows whose scales lie near each other as lanes, with the same bits, rows that are always zero among them", () => {
    for (const n of [16, 41, 144]) {
      const own = { ...linear(16, n), ...lanedScales(n) };
      const [m, s] = [space.s32(own.multiplier), space.s8(own.shift)];
      for (const acc of [s32(n, 2 ** 24 - 1), Int32Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 - 2 ** 24 : 2 ** 24 - 1))]) {
        const at = space.s32(acc).byteOffset;
        const y = space.s8(new Int8Array(n));
        k.requantizeS8(at, m.byteOffset, s.byteOffset, y.byteOffset, n, 1);
        expect(y).toEqual(rowsToS8(acc, own));
        const residual = s16(n);
        const added = space.s16(residual);
        k.requantizeAddS16(at, m.byteOffset, s.byteOffset, added.byteOffset, n, 1);
        const more = rowsToS16(acc, own);
        expect(added).toEqual(residual.map((value, i) => Math.max(-32768, Math.min(32767, value + more[i]!))));
      }
    }
    expect(space.isIntact()).toBe(true);
  });

  it("isqrt is the floor of the root", () => {
    for (const v of [
      0,
      1,
      2,
      3,
      4,
      15,
      16,
      2 ** 30 - 1,
      2 ** 30,
      2 ** 32 - 1,
      ...Array.from({ length: 500 }, () => integer(0, 2 ** 32 - 1)),
    ]) {
      expect(k.isqrt(v) >>> 0).toBe(Math.floor(Math.sqrt(v)));
      expect(isqrt(v)).toBe(Math.floor(Math.sqrt(v)));
    }
  });

  it("rms-norm equals the oracle, and the float formula within one step", () => {
    for (const n of [1, 3, 16, 32, 64, 512]) {
      for (const limit of [0, 1, 30, 4000, 32767]) {
        for (const epsilon of [1, 5000]) {
          const x = s16(n, limit);
          const y = space.s8(new Int8Array(n));
          k.rmsNorm(space.s16(x).byteOffset, y.byteOffset, n, epsilon);
          expect(y).toEqual(rmsNorm(x, epsilon));
          const rms = Math.sqrt((x.reduce((sum, v) => sum + v * v, 0) + epsilon) / n);
          for (const [i, v] of x.entries())
            expect(Math.abs(y[i]! - Math.max(-128, Math.min(127, (32 * v) / rms)))).toBeLessThanOrEqual(0.52);
        }
      }
    }
    expect(space.isIntact()).toBe(true);
  });

  it("exp2Neg and softplus equal the oracle over their range, and the functions within a count", () => {
    for (let t = 0; t < 20 * 65536; t += 37) {
      expect(k.exp2Neg(tables, t) >>> 0).toBe(exp2Neg(t));
      expect(Math.abs(exp2Neg(t) - 65536 * 2 ** (-t / 65536))).toBeLessThanOrEqual(1.2);
    }
    expect(k.exp2Neg(tables, 0xffffffff | 0)).toBe(0);
    for (let raw = -32768; raw <= 32767; raw += 7) {
      expect(k.softplus(tables, raw)).toBe(softplus(raw));
      expect(Math.abs(softplus(raw) - 65536 * Math.log1p(Math.exp(raw / 4096)))).toBeLessThanOrEqual(9); // linear between 257 points
    }
  });

  it("softmax equals the oracle, sums to one, and gives one score everything", () => {
    for (const n of [1, 2, 7, 32, 256]) {
      const scores = s32(n, 60000);
      const scale = { multiplier: integer(2 ** 30, 2 ** 31 - 1), shift: 4 };
      const own = space.s32(scores);
      const expected = softmax(scores, scale);
      expect(k.softmaxQ15(tables, own.byteOffset, n, scale.multiplier, scale.shift) >>> 0).toBe(expected.reciprocal);
      expect([...own]).toEqual([...expected.p]);
      expect(Math.abs(own.reduce((a, b) => a + b, 0) - 32768)).toBeLessThanOrEqual(n + 16);
    }
  });

  it("conv1d-s8 equals the oracle over steps, and moves its past along", () => {
    for (const [dInner, dConv] of [
      [1, 1],
      [5, 2],
      [64, 4],
      [64, 3],
      [37, 8],
      [16, 1],
    ] as const) {
      const lanes = dInner >= 16 ? 1 : 0;
      const tensors = lanes === 1 ? lanedScales(dInner) : scales(dInner);
      const block = {
        dInner,
        dConv,
        convWeights: s8(dInner * dConv),
        convBias: s32(dInner, 9000),
        convMultiplier: tensors.multiplier,
        convShift: tensors.shift,
        siluX: s8(256, -128, 127),
      } as unknown as SsmBlock;
      const past = s8((dConv - 1) * dInner);
      const [state, y] = [space.s8(past), space.s8(new Int8Array(dInner))];
      const fixed = [
        space.s8(block.convWeights),
        space.s32(block.convBias),
        space.s32(block.convMultiplier),
        space.s8(block.convShift),
        space.s8(block.siluX),
      ];
      for (const x of extremes(dInner)) {
        const [w, b, m, s, t] = fixed.map((view) => view.byteOffset) as [number, number, number, number, number];
        k.conv1dS8(state.byteOffset, space.s8(x).byteOffset, w, b, m, s, t, y.byteOffset, dInner, dConv, lanes);
        expect(y).toEqual(conv1dS8(x, past, block));
        expect(state).toEqual(past);
      }
    }
    expect(space.isIntact()).toBe(true);
  });

  it("selective-scan equals the oracle, and its state stays below 2^30 for the worst input", () => {
    for (const [nHeads, headDim, dState, scanShift] of [
      [1, 1, 1, 7],
      [2, 3, 5, 10],
      [4, 16, 8, 10],
      [3, 2, 16, 11],
      [2, 7, 4, 9],
      [2, 24, 12, 12],
    ] as const) {
      const dInner = nHeads * headDim;
      const a = Int32Array.from({ length: nHeads }, (_, h) => (h === 0 ? 739 : integer(739, 131072)));
      const block = {
        nHeads,
        headDim,
        dState,
        scanShift,
        a,
        d: s32(nHeads, 2 ** 22),
        y: { multiplier: integer(2 ** 30, 2 ** 31 - 1), shift: -6 },
      } as unknown as SsmBlock;
      const h = new Int32Array(dInner * dState);
      const [state, dtB, y] = [space.s32(h), space.s32(new Int32Array(dState)), space.s16(new Int16Array(dInner))];
      const [aAt, dAt] = [space.s32(block.a).byteOffset, space.s32(block.d).byteOffset];
      for (let t = 0; t < 60; t++) {
        const worst = t >= 30;
        const raw = worst ? new Int16Array(nHeads).fill(32767) : s16(nHeads);
        const [b, c, u] = worst
          ? [new Int8Array(dState).fill(-128), s8(dState), new Int8Array(dInner).fill(-128)]
          : [s8(dState), s8(dState), s8(dInner)];
        k.selectiveScan(
          tables,
          space.s16(raw).byteOffset,
          space.s8(b).byteOffset,
          space.s8(c).byteOffset,
          space.s8(u).byteOffset,
          aAt,
          dAt,
          state.byteOffset,
          dtB.byteOffset,
          y.byteOffset,
          nHeads,
          headDim,
          dState,
          scanShift,
          block.y.multiplier,
          block.y.shift,
        );
        expect(y).toEqual(selectiveScan(raw, b, c, u, h, block));
        expect(state).toEqual(h);
        for (const v of h) expect(Math.abs(v)).toBeLessThan(2 ** 30);
      }
      const z = s8(dInner, -128, 127);
      const silu = s8(256);
      for (const [lanes, wide] of [
        [0, y],
        [1, y],
        [1, Int16Array.from(y, (_, i) => (i % 2 === 0 ? -32768 : 32767))],
        [0, new Int16Array(dInner).fill(-32768)],
      ] as const) {
        const own = lanes === 1 ? silu : s8(256, -128, -128); // −32768 · −128 wraps: no table of lanes has it
        const gated = space.s16(wide);
        k.gateS16(gated.byteOffset, space.s8(z).byteOffset, space.s8(own).byteOffset, dInner, lanes);
        expect(gated).toEqual(gateS16(Int16Array.from(wide), z, own));
      }
    }
    expect(space.isIntact()).toBe(true);
  });

  it("no decay and no step size drives the scan state past 2^30: every Δ of the table against the slowest decay", () => {
    const seen = new Set<number>();
    for (let raw = -32768; raw <= 32767; raw += 5) {
      const dt = softplus(raw);
      if (seen.has(dt)) continue;
      seen.add(dt);
      const a = Math.min(65535, exp2Neg(Math.floor((dt * 739 + 2048) / 4096)));
      const input = Math.abs(((dt * -128 + 8) >> 4) * -128);
      expect((input + 1) / (1 - a / 65536)).toBeLessThan(2 ** 30); // the fixed point of h = a·h + input, rounding included
    }
  });

  it("attention-s8 equals the oracle for full and partly filled rings, with shared KV heads", () => {
    for (const [nHeads, nKvHeads, headDim, n] of [
      [1, 1, 1, 1],
      [4, 2, 8, 32],
      [4, 2, 8, 5],
      [6, 3, 5, 17],
      [2, 1, 24, 7],
      [2, 2, 12, 9],
    ] as const) {
      const block = {
        nHeads,
        nKvHeads,
        headDim,
        score: { multiplier: integer(2 ** 30, 2 ** 31 - 1), shift: 5 },
        out: { multiplier: integer(2 ** 30, 2 ** 31 - 1), shift: -14 },
      } as unknown as AttentionBlock;
      const [q, keys, values] = [s8(nHeads * headDim), s8(n * nKvHeads * headDim, -128, 127), s8(n * nKvHeads * headDim, -128, 127)];
      const [scores, y] = [space.s32(new Int32Array(n)), space.s8(new Int8Array(nHeads * headDim))];
      k.attentionS8(
        tables,
        space.s8(q).byteOffset,
        space.s8(keys).byteOffset,
        space.s8(values).byteOffset,
        scores.byteOffset,
        y.byteOffset,
        n,
        nHeads,
        nKvHeads,
        headDim,
        block.score.multiplier,
        block.score.shift,
        block.out.multiplier,
        block.out.shift,
      );
      expect(y).toEqual(attentionS8(q, keys, values, n, block));
    }
    expect(space.isIntact()).toBe(true);
  });

  it("gated-mlp equals the oracle and may write over its input", () => {
    const block = { dMlp: 37, silu: s8(256), mlp: { multiplier: integer(2 ** 30, 2 ** 31 - 1), shift: -7 } } as unknown as AttentionBlock;
    const both = s8(74, -128, 127);
    const own = space.s8(both);
    k.gatedS8(
      own.byteOffset,
      own.byteOffset + 37,
      space.s8(block.silu).byteOffset,
      own.byteOffset,
      37,
      block.mlp.multiplier,
      block.mlp.shift,
    );
    expect(own.slice(0, 37)).toEqual(gatedS8(both, block));
  });

  it("features: int16 counts to int8, clamped, by channel", () => {
    const features = [0, -500, 300].map((zeroPoint, c) => ({
      zeroPoint,
      multiplier: integer(2 ** 30, 2 ** 31 - 1),
      shift: -5,
      knee: [0, 1, 60][c]!,
    }));
    const records = space.s32(features.flatMap((f) => [f.zeroPoint, f.multiplier, f.shift, f.knee]));
    for (const frame of [Int16Array.of(-32768, 32767, 0), Int16Array.of(1000, -1000, 77)]) {
      const y = space.s8(new Int8Array(3));
      k.quantiseFrame(space.s16(frame).byteOffset, records.byteOffset, y.byteOffset, 3);
      expect(y).toEqual(quantiseFrame(frame, features));
    }
  });

  it("crc32 is the IEEE one", () => {
    const text = new TextEncoder().encode("123456789");
    expect(k.crc32(0, space.s8(text).byteOffset, 9) >>> 0).toBe(0xcbf43926);
    expect(crc32(text)).toBe(0xcbf43926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(70), (bytes, cut) => {
        const whole = k.crc32(0, space.s8(bytes).byteOffset, bytes.length) >>> 0;
        expect(crc32(bytes)).toBe(whole);
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(whole);
      }),
    );
  });
});
