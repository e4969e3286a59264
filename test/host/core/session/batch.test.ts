import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMIT_PATCHES } from "../../../../assembly/layout.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import { DataError, ModelError } from "../../../../host/core/system/errors.ts";
import { activityShaped, randomImage } from "../../../golden/random-image.ts";
import { randomPatches, seeded } from "../../../support/random.ts";

/** Sequences of drifting patches, of these lengths. */
function sequencesOf(model: Model, lengths: readonly number[], seed: number): Int8Array[] {
  const random = seeded(seed);
  const patchBytes = model.image.channels * model.image.patchFrames;
  return lengths.map((length) => Int8Array.from(randomPatches(random, patchBytes, length).flatMap((patch) => [...patch])));
}

/** What one session after the other says: full depth at every patch, as the batch runs. */
function oneByOne(model: Model, sequences: readonly Int8Array[]): number[][] {
  const session = model.createSession();
  const patchBytes = model.image.channels * model.image.patchFrames;
  return sequences.map((sequence) => {
    session.reset();
    let logits: Int16Array[] = [];
    for (let at = 0; at < sequence.length; at += patchBytes) {
      session.pushPatch(sequence.subarray(at, at + patchBytes));
      logits = session.logits();
    }
    return [...logits.at(-1)!];
  });
}

describe("a batch", () => {
  it("gives each sequence of the activity net's shape the bits that a session gives it alone", () => {
    const model = Model.load(writeImage(activityShaped(5)));
    const lengths = [128, 128, 1, 7, 128, 33, 32, 31, 64, 128, 100];
    const sequences = sequencesOf(model, lengths, 1);
    const batch = model.createBatch();
    expect(batch.run(sequences).map((logits) => [...logits])).toEqual(oneByOne(model, sequences));
    const again = sequencesOf(model, [5, 90], 2); // no state is left of the run before
    expect(batch.run(again).map((logits) => [...logits])).toEqual(oneByOne(model, again));
  });

  it("does so for any blocks in any order, odd sizes, empty lanes and lengths", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom("S", "A", "SA", "AS", "SSA", "ASA", "AAS"),
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 10 }),
        (seed, pattern, lengths) => {
          const model = Model.load(writeImage(randomImage(seed, { pattern, exitsAfter: [pattern.length - 1] })));
          const sequences = sequencesOf(model, lengths, seed);
          expect(
            model
              .createBatch(70)
              .run(sequences)
              .map((logits) => [...logits]),
          ).toEqual(oneByOne(model, sequences));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("keeps its memory, however much it runs", () => {
    const model = Model.load(writeImage(activityShaped(6)));
    const batch = model.createBatch();
    const [first] = batch.run(sequencesOf(model, [40], 3));
    for (let i = 0; i < 20; i++) batch.run(sequencesOf(model, [40, 12], i));
    expect(batch.run(sequencesOf(model, [40], 3))).toEqual([first]);
  });

  it("refuses sequences and sizes that it has no room for", () => {
    const model = Model.load(writeImage(activityShaped(5)));
    const batch = model.createBatch(4);
    for (const bytes of [0, 23, 5 * 24]) expect(() => batch.run([new Int8Array(bytes)])).toThrow(DataError);
    expect(batch.run([])).toEqual([]);
    expect(() => model.createBatch(0)).toThrow(ModelError);
    expect(() => model.createBatch(LIMIT_PATCHES + 1)).toThrow(ModelError);
  });
});
