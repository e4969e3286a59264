import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Confirmation, confirmationProbability } from "../../../../host/cloud/confirm/confirmation.ts";
import { readConfirmation, writeConfirmation } from "../../../../host/cloud/confirm/confirmation-file.ts";
import { createConfirmer } from "../../../../host/cloud/confirm/confirmer.ts";
import { type Forest, forestFlaw, sumOfLeaves } from "../../../../host/cloud/confirm/forest.ts";
import { readMotion } from "../../../../host/cloud/confirm/motion.ts";
import { contextStatistics, STATISTICS } from "../../../../host/cloud/confirm/statistics.ts";
import type { CloudQuery } from "../../../../host/cloud/provider.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { createRandom } from "../../../../host/core/system/random.ts";

const shipped = new Uint8Array(readFileSync(join(packageRoot(), "agents/fall/confirmation.safetensors")));

/** x[3] ≤ 2: the first leaf, else by x[1] ≤ −1 the second or third. And a tree that is a leaf. */
const forest: Forest = {
  roots: Int32Array.of(0, 5),
  feature: Int16Array.of(3, -1, 1, -1, -1, -1),
  value: Float32Array.of(2, 0.25, -1, 0.5, 0.75, 8),
  right: Int32Array.of(2, 0, 4, 0, 0, 0),
};

const random = createRandom(7);
const vector = (size: number, least = -1): Float32Array => Float32Array.from({ length: size }, () => least + 2 * random.uniform());

const small: Confirmation = {
  ...{ name: "small", labels: ["daily", "fall"], label: 1, patchFrames: 4, afterFrames: 100 },
  scale: { step: [0.125, 0.125, 0.125, 16, 16, 16], zero: [-1, -2, -2, -256, -256, -256] },
  boosting: forest,
  extraTrees: { ...forest, value: forest.value.map((value, i) => (forest.feature[i] === -1 ? value / 32 : value)) },
  linear: { means: vector(STATISTICS), scales: vector(STATISTICS, 1), limit: 6, weights: vector(STATISTICS), bias: 0.5 },
  operatingPoint: { mean: 0.5, linear: 1 },
  protocol: { fit: ["SA01"], test: ["SA03"] },
};

const query = (more: Partial<CloudQuery> = {}): CloudQuery => ({
  ...{ id: "00".repeat(16), node: "n", agent: "fall", imageHash: "", labels: small.labels, tick: 0, patchBytes: 24, windowPatches: 32 },
  ...{ patches: new Int8Array(128 * 24).fill(16), local: { label: 0, confidenceQ15: 0, exit: 0 }, deadlineAtMillis: 1e9 },
  ...more,
});

describe("a forest", () => {
  it("sums the leaves that x falls into, at a threshold to the left", () => {
    expect(sumOfLeaves(forest, Float64Array.of(0, 0, 0, 2))).toBe(8.25);
    expect(sumOfLeaves(forest, Float64Array.of(0, -1, 0, 2.1))).toBe(8.5);
    expect(sumOfLeaves(forest, Float64Array.of(0, -0.9, 0, 2.1))).toBe(8.75);
  });

  it.each([
    ["a node that reads a statistic too far", { feature: Int16Array.of(4, -1, 1, -1, -1, -1) }],
    ["a right child before its node", { right: Int32Array.of(2, 0, 1, 0, 0, 0) }],
    ["a right child in another tree", { right: Int32Array.of(5, 0, 4, 0, 0, 0) }],
    ["a tree without a last leaf", { feature: Int16Array.of(3, -1, 1, -1, 0, -1) }],
    ["roots that do not ascend", { roots: Int32Array.of(0, 0) }],
    ["a value that is no number", { value: Float32Array.of(2, 0.25, Number.NaN, 0.5, 0.75, 8) }],
  ])("is refused with %s", (_, flaw) => {
    expect(forestFlaw(forest, 4)).toBeUndefined();
    expect(forestFlaw({ ...forest, ...flaw }, 4)).toEqual(expect.any(String));
  });
});

describe("a confirmation's file", () => {
  it("holds all of it", () => {
    expect(readConfirmation(writeConfirmation(small))).toEqual(small);
    const confirmation = readConfirmation(shipped);
    expect(Buffer.compare(writeConfirmation(confirmation), shipped)).toBe(0);
    expect(shipped.length).toBeLessThan(1_000_000);
  });

  it("throws a DataError for any other bytes, and a model that it takes always ends", () => {
    const bytes = writeConfirmation(small);
    const x = Float64Array.from(vector(STATISTICS));
    const edit = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), fc.boolean(), (edits, cut, isCut) => {
        const broken = bytes.slice(0, isCut ? cut : bytes.length);
        for (const { at, byte } of edits) if (at < broken.length) broken[at] = byte;
        let read: Confirmation;
        try {
          read = readConfirmation(broken);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^BAD_(CONFIRMATION|SAFETENSORS)$/) });
          return;
        }
        const probability = confirmationProbability(read, x, "mean");
        expect(probability >= 0 && probability <= 1).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("statistics of a context", () => {
  it("are finite and as many as agreed, whatever the patches and however few", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 128 }), fc.nat(), fc.nat(700), (patches, seed, afterFrames) => {
        const stream = createRandom(seed);
        const motion = readMotion(
          Int8Array.from({ length: patches * 24 }, () => stream.integer(256) - 128),
          small.scale,
        );
        const statistics = contextStatistics(motion, afterFrames);
        expect(statistics).toHaveLength(STATISTICS);
        expect(statistics.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe("the confirmer", () => {
  it("answers with the label whose probability is at least one half, from the operating point on", async () => {
    const statistics = contextStatistics(readMotion(query().patches, small.scale), small.afterFrames);
    for (const part of ["mean", "linear"] as const) {
      const raw = confirmationProbability({ ...small, operatingPoint: { mean: 0, linear: 0 } }, statistics, part);
      const logit = Math.log(raw / (1 - raw));
      const answerAt = async (point: number) =>
        (await createConfirmer({ ...small, operatingPoint: { mean: point, linear: point } }, part).answer([query()]))[0];
      expect(await answerAt(logit - 0.1)).toMatchObject({ ok: true, label: 1, confidence: expect.closeTo(1 / (1 + Math.exp(-0.1)), 9) });
      expect(await answerAt(logit + 0.1)).toMatchObject({ ok: true, label: 0, confidence: expect.closeTo(1 / (1 + Math.exp(-0.1)), 9) });
    }
  });

  it.each([
    ["labels", { labels: ["fall", "daily"] }],
    ["form", { form: "raw" as const }],
    ["patches", { patchBytes: 12 }],
    ["patches", { patches: new Int8Array(0) }],
  ])("refuses other %s", async (reason, more) => {
    expect(await createConfirmer(small).answer([query(more)])).toEqual([{ ok: false, reason, detail: expect.any(String) }]);
  });
});
