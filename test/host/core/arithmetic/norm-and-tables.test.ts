import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exp2Neg } from "../../../../host/core/arithmetic/exp2-neg.ts";
import { toFixedScale } from "../../../../host/core/arithmetic/fixed-point.ts";
import { isqrt, rmsNorm } from "../../../../host/core/arithmetic/rms-norm.ts";
import { softmax } from "../../../../host/core/arithmetic/softmax.ts";
import { softplus } from "../../../reference/softplus.ts";

const NORM_TOLERANCE = 0.6; // half a step, and 14-bit roots at an output of 127
const EXP2_TOLERANCE = 2 / 65536; // two steps of Q16
const SOFTPLUS_TOLERANCE = 9 / 65536; // (1/16)²/8 · max softplus″ is 8 steps of Q16
const SOFTMAX_TOLERANCE = 4 / 32768; // four steps of Q15

describe("rmsNorm", () => {
  const s16 = fc.integer({ min: -32768, max: 32767 });

  it("is within NORM_TOLERANCE of x / √(mean(x²) + ε)", () => {
    fc.assert(
      fc.property(fc.int16Array({ minLength: 1, maxLength: 64 }), fc.integer({ min: 1, max: 1e6 }), (x, epsilon) => {
        const rms = Math.sqrt((x.reduce((sum, v) => sum + v * v, 0) + epsilon) / x.length);
        const y = rmsNorm(x, epsilon);
        for (const [i, v] of x.entries()) {
          const exact = Math.max(-128, Math.min(127, (32 * v) / rms));
          expect(Math.abs(y[i]! - exact)).toBeLessThanOrEqual(NORM_TOLERANCE);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("holds at its edges: zeros, one element, 512 of the largest, the smallest sum", () => {
    expect([...rmsNorm(new Int16Array(5), 1)]).toEqual([0, 0, 0, 0, 0]);
    expect([...rmsNorm(Int16Array.of(-32768), 1)]).toEqual([-32]);
    expect(new Set(rmsNorm(new Int16Array(512).fill(-32768), 1))).toEqual(new Set([-32]));
    expect([...rmsNorm(Int16Array.of(1), 1)]).toEqual([23]); // 32/√2 = 22.6
    expect(Math.max(...rmsNorm(Int16Array.of(32767, ...new Array(511).fill(0)), 1))).toBe(127);
    expect([...rmsNorm(Int16Array.of(32767), 2 ** 31 - 1)]).toEqual([18]); // 32·√(1/3) = 18.5
  });

  it("changes sign with its input, but for exact halves", () => {
    fc.assert(
      fc.property(fc.array(s16, { minLength: 1, maxLength: 16 }), (values) => {
        const x = Int16Array.from(values, (v) => Math.max(-32767, v));
        const y = rmsNorm(x, 100);
        const z = rmsNorm(
          x.map((v) => -v),
          100,
        );
        for (const [i, v] of y.entries()) expect(Math.abs(v + z[i]!)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("takes integer roots exactly, next to squares too", () => {
    for (let root = 1; root < 65536; root += 97) {
      expect([isqrt(root * root - 1), isqrt(root * root), isqrt(root * root + 1)]).toEqual([root - 1, root, root]);
    }
    expect(isqrt(2 ** 32 - 1)).toBe(65535);
  });
});

describe("exp2Neg", () => {
  it("is within EXP2_TOLERANCE of 2^−t, never rises, and ends at 0", () => {
    let before = 65536;
    let worst = 0;
    let rises = 0;
    for (let t = 0; t < 18 * 65536; t += 37) {
      const v = exp2Neg(t);
      worst = Math.max(worst, Math.abs(v / 65536 - 2 ** (-t / 65536)));
      if (v > before) rises += 1;
      before = v;
    }
    expect(worst).toBeLessThanOrEqual(EXP2_TOLERANCE);
    expect(rises).toBe(0);
    expect([exp2Neg(0), exp2Neg(65536), exp2Neg(16 * 65536), exp2Neg(17 * 65536), exp2Neg(2 ** 31 - 1), exp2Neg(2 ** 32 - 1)]).toEqual([
      65536, 32768, 1, 0, 0, 0,
    ]);
  });
});

describe("softplus", () => {
  it("is within SOFTPLUS_TOLERANCE of ln(1 + e^x) over all of s16", () => {
    let worst = 0;
    for (let raw = -32768; raw < 32768; raw++) {
      worst = Math.max(worst, Math.abs(softplus(raw) / 65536 - Math.log1p(Math.exp(raw / 4096))));
    }
    expect(worst).toBeLessThanOrEqual(SOFTPLUS_TOLERANCE);
    expect(softplus(-32768)).toBe(22);
  });
});

describe("softmax", () => {
  it("is within SOFTMAX_TOLERANCE of the float one", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (scores, scale) => {
          const { p } = softmax(scores, toFixedScale(scale));
          const top = Math.max(...scores);
          const e = scores.map((s) => 2 ** (((s - top) * scale) / 65536));
          const sum = e.reduce((a, b) => a + b, 0);
          for (const [j, v] of e.entries()) expect(Math.abs(p[j]! / 32768 - v / sum)).toBeLessThanOrEqual(SOFTMAX_TOLERANCE);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("gives one score all, equal scores the same, and a scale of 0 no preference", () => {
    expect([...softmax([-5], toFixedScale(1)).p]).toEqual([32768]);
    expect([...softmax([7, 7, 7, 7], toFixedScale(1)).p]).toEqual([8192, 8192, 8192, 8192]);
    expect([...softmax([-(2 ** 23), 2 ** 23], { multiplier: 0, shift: 0 }).p]).toEqual([16384, 16384]);
    expect([...softmax([-(2 ** 23), 2 ** 23], toFixedScale(1)).p]).toEqual([0, 32768]);
  });
});
