import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../../host/core/image/safetensors.ts";
import { ConfigError, DataError } from "../../../host/core/system/errors.ts";
import { readAdaptation, writeAdaptation } from "../../../host/personalize/adaptation-file.ts";
import { createAdapter } from "../../../host/personalize/adapter.ts";
import { openAdaptable, readPrior, writePrior } from "../../../host/personalize/prior.ts";
import { adaptable, windowsFor } from "./support.ts";

const { image, prior } = adaptable();
const { lda } = image;
const other = adaptable(6).image.lda;
const priorBytes = writePrior(prior, lda);
const learned = (() => {
  const adapter = createAdapter(image, prior);
  for (const [i, window] of windowsFor(image, 9).entries()) adapter.learn(window, i % 3);
  return { bytes: writeAdaptation(adapter.adaptation, lda), adaptation: adapter.adaptation };
})();

/** The file with a tensor's values replaced. */
function spoilt(bytes: Uint8Array, name: string, change: (values: Float32Array) => void): Uint8Array {
  const file = readSafetensors(bytes, "x");
  change(file.tensors[name]!.values);
  return writeSafetensors(file);
}

describe("lda-prior.safetensors", () => {
  it("comes back as float32 holds it", () => {
    const read = readPrior(priorBytes, lda, "lda-prior.safetensors");
    const rounded = (values: Float64Array) => values.map(Math.fround);
    expect(read).toEqual({
      ...prior,
      deviations: rounded(prior.deviations),
      centres: rounded(prior.centres),
      precision: rounded(prior.precision),
    });
  });

  it("says what is wrong with it", () => {
    const read = (bytes: Uint8Array) => () => readPrior(bytes, lda, "lda-prior.safetensors");
    expect(() => readPrior(priorBytes, other, "lda-prior.safetensors")).toThrow("belongs to another model image");
    expect(read(spoilt(priorBytes, "deviations", (values) => values.fill(0)))).toThrow("a deviation is not above 0");
    expect(read(spoilt(priorBytes, "centres", (values) => values.fill(Number.NaN)))).toThrow("tensor centres holds what is no number");
    expect(read(learned.bytes)).toThrow('metadata format is "dormouse-adaptation-1"');
  });

  it("of any bytes gives an error, or numbers of its shape", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, at) => {
        const torn = priorBytes.slice();
        torn.set(bytes, at);
        for (const own of [bytes, torn])
          try {
            const { centres, deviations, precision } = readPrior(own, lda, "x");
            for (const values of [centres, deviations, precision]) expect(values.every(Number.isFinite)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(DataError);
          }
      }),
      { numRuns: 200 },
    );
  });

  it("is asked for where there is none", () => {
    const { lda: _, ...plain } = image;
    expect(() => openAdaptable("activity", plain, "lda-prior.safetensors")).toThrow("its model has no LDA head");
    expect(() => openAdaptable("activity", image, undefined)).toThrow("its agent.ts names no prior");
    expect(() => openAdaptable("activity", image, "nowhere/lda-prior.safetensors")).toThrow(ConfigError);
  });
});

describe("an adaptation's file", () => {
  it("comes back bit for bit", () => {
    expect(readAdaptation(learned.bytes, lda, "mine")).toEqual(learned.adaptation);
    expect(learned.bytes.length).toBeLessThan(8192);
  });

  it("is read under its older format name, too", () => {
    const file = readSafetensors(learned.bytes, "x");
    const old = writeSafetensors({ ...file, metadata: { format: "dormouse-wearer-1", evidence: file.metadata.lda! } });
    expect(readAdaptation(old, lda, "mine")).toEqual(learned.adaptation);
  });

  it("says what is wrong with it", () => {
    const read = (bytes: Uint8Array) => () => readAdaptation(bytes, lda, "mine");
    expect(() => readAdaptation(learned.bytes, other, "mine")).toThrow("was learned with another model image");
    expect(read(spoilt(learned.bytes, "windows", (values) => values.fill(300)))).toThrow("not within 0…256");
    expect(read(spoilt(learned.bytes, "sums", (values) => values.fill(0.5)))).toThrow("or not whole");
    expect(read(spoilt(learned.bytes, "sums", (values) => values.fill(2 ** 25)))).toThrow("larger than its windows make it");
    expect(read(priorBytes)).toThrow('metadata format is "dormouse-evidence-prior-1"');
    expect(read(new Uint8Array(9))).toThrow("no whole safetensors file. Name another file");
  });

  it("of any bytes gives an error, or what an adapter can go on from", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(learned.bytes.length - 64), (bytes, at) => {
        const torn = learned.bytes.slice();
        torn.set(bytes, at);
        for (const own of [bytes, torn])
          try {
            createAdapter(image, prior, readAdaptation(own, lda, "x")).learn(windowsFor(image, 1)[0]!, 1);
          } catch (error) {
            expect(error).toBeInstanceOf(DataError);
          }
      }),
      { numRuns: 200 },
    );
  });
});
