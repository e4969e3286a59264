import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { DormouseError } from "../../../host/core/system/errors.ts";
import { readCheckpoint, writeCheckpoint } from "../../../host/train/checkpoint.ts";
import { computeFingerprint } from "../../../host/train/fingerprint.ts";
import { type TrainedNet, type TrainNetOptions, type TrainState, trainNet } from "../../../host/train/train-net.ts";
import { recordingOfTwo, tinyConfig, tinyRecipe, tinyTraining } from "./support/tiny-training.ts";

const STEPS = 20;
const training = (over: Partial<TrainNetOptions> = {}) => tinyTraining({ recipe: { ...tinyRecipe, steps: STEPS, dropout: 0.1 }, ...over });

const checkpointOf = (options: TrainNetOptions, state: TrainState): Uint8Array =>
  writeCheckpoint(options.config, { fingerprint: computeFingerprint(options), state, seconds: 1 });

/** Trains until `stopAt` steps are done, as a killed process would leave it: with a checkpoint's bytes. */
async function stoppedAt(stopAt: number, options: TrainNetOptions): Promise<Uint8Array> {
  let left: TrainState | undefined;
  const run = trainNet({
    ...options,
    onStep(progress) {
      left = progress.state();
      if (left.step === stopAt) throw new Error("killed");
    },
  });
  await expect(run).rejects.toThrow("killed");
  return checkpointOf(options, left!);
}

const resumed = (bytes: Uint8Array, options: TrainNetOptions) => readCheckpoint(bytes, options.config, computeFingerprint(options)).state;

// One training that nobody stops, its losses and its checkpoints after every step.
const losses: number[] = [];
const checkpoints: Uint8Array[] = [];
let straight: TrainedNet;
beforeAll(async () => {
  const options = training();
  straight = await trainNet({
    ...options,
    onStep(progress) {
      losses.push(progress.loss);
      const state = progress.state();
      checkpoints[state.step] = checkpointOf(options, state);
    },
  });
});

describe("a training", () => {
  it("lowers the loss in a few steps, in float and then in int8", () => {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(losses).toHaveLength(STEPS);
    expect(mean(losses.slice(-4))).toBeLessThan(0.7 * mean(losses.slice(0, 4)));
  });

  it("of the same seed → the same bits", async () => {
    expect(await stoppedAt(2, training())).toEqual(checkpoints[2]);
  });

  it.each([
    ["in float", 7],
    ["in int8", 13],
    ["right at its end", STEPS],
  ])("stopped %s and begun anew → the same bits as one that was not", async (_, stopAt) => {
    expect(await trainNet(training({ resume: resumed(checkpoints[stopAt]!, training()) }))).toEqual(straight);
  });

  it("stopped twice → the same bits as one that was not", async () => {
    const first = training({ resume: resumed(checkpoints[7]!, training()) });
    const twice = await trainNet(training({ resume: resumed(await stoppedAt(11, first), training()) }));
    expect(twice).toEqual(straight);
  });
});

it("ends with the same bits as one that was not where an ensemble teaches", async () => {
  const seen: number[] = [];
  const logits = (patches: Float32Array, seqLen: number): Float32Array => {
    seen.push(seqLen);
    const perPatch = tinyConfig.channels * tinyConfig.patchFrames;
    return Float32Array.from({ length: (patches.length / perPatch) * tinyConfig.nClasses }, (_, i) => patches[i]! * (i % 3));
  };
  const teachers = [
    { logits, readsCrops: true },
    { logits: (patches: Float32Array, seqLen: number) => logits(patches, -seqLen), readsCrops: false },
  ];
  const { distillation } = activityTraining.ensemble!;
  const taught = (over: Partial<TrainNetOptions> = {}) =>
    training({ teaching: { ...distillation, batches: 3, teachers, fingerprint: "two" }, ...over });
  const straight = await trainNet(taught());
  expect(seen.sort((a, b) => a - b)).toEqual([...Array(3).fill(-32), ...Array(3).fill(32), ...Array(3).fill(64)]); // who knows windows alone is not asked about crops
  const again = await trainNet(taught({ resume: resumed(await stoppedAt(13, taught()), taught()) }));
  expect(again).toEqual(straight);
});

describe("a checkpoint", () => {
  let bytes: Uint8Array;
  beforeAll(() => {
    bytes = checkpoints[2]!;
  });

  it.each([
    ["seed", { seed: 4 }, /the seed differs/],
    ["recipe", { recipe: { ...tinyRecipe, steps: 21 } }, /the recipe .* differs/],
    ["net", { config: { ...tinyConfig, dModel: 24 } }, /the net's shape differs/],
    ["data", { recordings: [recordingOfTwo("1", 10)] }, /the recordings or the wearers that are trained on differs/],
    ["classes", { classOf: () => 0, seed: 5 }, /which label is which class; the seed differ\. /],
  ])("of another %s is refused, and the message says what differs and how to go on", (_, over, message) => {
    const read = () => resumed(bytes, training(over));
    expect(read).toThrow(message);
    expect(read).toThrow(/--fresh to start anew/);
  });

  it("that is damaged anywhere is a clear error, never a trap", () => {
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length)),
      fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
        const copy = bytes.slice();
        copy[at]! ^= flip;
        return copy;
      }),
      // the header alone, where most of the parsing is
      fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
        const copy = bytes.slice();
        copy[at]! ^= flip;
        return copy;
      }),
      fc.json().map((json) => {
        const text = new TextEncoder().encode(json);
        const file = new Uint8Array(8 + text.length);
        new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
        file.set(text, 8);
        return file;
      }),
    );
    fc.assert(
      fc.property(damaged, (file) => {
        try {
          resumed(file, training());
          return false;
        } catch (error) {
          return error instanceof DormouseError && /--fresh/.test(error.message);
        }
      }),
      { numRuns: 400 },
    );
  });
});
