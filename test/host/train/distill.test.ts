import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../host/core/system/random.ts";
import { aggregate, aggregations, computeReliability } from "../../../host/train/aggregate.ts";
import type { Batch } from "../../../host/train/batches.ts";
import { type Distillation, softenBatch } from "../../../host/train/distill.ts";
import { INPUT_SCALE } from "../../../host/train/net-constants.ts";

const logits = (...rows: number[][]) => Float32Array.from(rows.flat());

describe("aggregate", () => {
  it("gives rows that sum to 1, whatever the members say", () => {
    const member = fc.array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 6, maxLength: 6 }).map((v) => Float32Array.from(v));
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 4 }), fc.constantFrom(...aggregations), (members, kind) => {
        const reliability = computeReliability(members, [0, 1], 3);
        const out = aggregate(kind, members, 3, reliability);
        for (const row of [out.subarray(0, 3), out.subarray(3)]) {
          expect(row.every((p) => p >= 0 && p <= 1)).toBe(true);
          expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
        }
      }),
    );
  });

  it("differs by kind as its name says", () => {
    const sure = logits([Math.log(0.9), Math.log(0.1)]);
    const unsure = logits([Math.log(0.4), Math.log(0.6)]);
    const first = (kind: (typeof aggregations)[number]) =>
      aggregate(kind, [sure, unsure], 2, [Float64Array.of(1, 1), Float64Array.of(0, 1)])[0]!;
    expect(first("mean-probability")).toBeCloseTo(0.65, 6);
    expect(first("mean-logit")).toBeCloseTo(1 / (1 + Math.sqrt((0.1 / 0.9) * (0.6 / 0.4))), 6);
    expect(first("majority-vote")).toBeCloseTo(0.5, 6);
    expect(first("confidence-weighted")).toBeCloseTo((0.9 * 0.9 + 0.6 * 0.4) / 1.5, 6);
    expect(first("reliability-weighted")).toBeCloseTo(0.9 / (0.9 + 0.1 + 0.6), 6);
  });

  it("counts a class as reliable by how often it was right when said", () => {
    const [own] = computeReliability([logits([1, 0], [1, 0], [0, 1])], [0, 1, 1], 2);
    expect([...own!]).toEqual([2 / 3, 1]);
  });
});

describe("softenBatch", () => {
  const options: Distillation = { aggregation: "mean-probability", softShare: 0.5, mixShare: 0, batches: 1 };
  const batch = (): Batch => ({
    size: 2,
    seqLen: 2,
    patches: Float32Array.from({ length: 8 }, (_, i) => i * INPUT_SCALE),
    target: Float32Array.of(0.5, 0, 0, 0, 0, 0.5, 0, 0), // a labelled and an unlabelled row of each sequence
    upperLogDecay: new Float32Array(4),
    attentionMask: new Float32Array(8),
    maskBatch: 1,
  });
  const teacher = (patches: Float32Array) => new Float32Array(patches.length).fill(0); // two classes, one each in two

  it("blends label and ensemble, keeps every row's weight, and leaves rows without a label alone", () => {
    const own = batch();
    softenBatch(own, [teacher], 2, options, undefined, createRandom(1));
    expect([...own.target]).toEqual([0.375, 0.125, 0, 0, 0.125, 0.375, 0, 0]);
    expect([...own.patches]).toEqual([...batch().patches]);
  });

  it("shows the ensemble the blended input, on the int8 grid, and takes its word alone there", () => {
    const own = batch();
    let seen = new Float32Array();
    const watching = (patches: Float32Array) => {
      seen = patches.slice();
      return teacher(patches);
    };
    softenBatch(own, [watching], 2, { ...options, mixShare: 1 }, undefined, createRandom(2));
    expect([...own.patches]).toEqual([...seen]);
    for (const value of seen) expect(Math.abs(value / INPUT_SCALE - Math.round(value / INPUT_SCALE))).toBeLessThan(1e-5);
    expect([...own.target]).toEqual([0.25, 0.25, 0, 0, 0.25, 0.25, 0, 0]);
  });
});
