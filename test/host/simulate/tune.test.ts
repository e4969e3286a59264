import { describe, expect, it } from "vitest";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import type { Recording } from "../../../host/data/recording.ts";
import type { SimulatedCloud } from "../../../host/simulate/cloud.ts";
import { tunePolicy } from "../../../host/simulate/tune.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { seeded } from "../../support/random.ts";

/** So many hops of noise, all labelled 1. */
function recordingOf(subject: string, hops: number): Recording {
  const random = seeded(7);
  const count = hops * 64;
  const frames = Int16Array.from({ length: count * 6 }, () => Math.round((random() - 0.5) * 4000));
  const segments = [{ label: 1, start: 0, end: count }];
  return { name: subject, subject, channels: 6, frames, labels: new Uint8Array(count).fill(1), segments };
}

/** Agrees with the device, as sure as the wearer of the next question has it. */
function cloudOf(confidences: readonly number[]): SimulatedCloud {
  let worked = 0;
  return {
    get worked() {
      return worked;
    },
    answer: async ({ local }) => ({ label: local.label, confidence: confidences[worked++]! }),
  };
}

const model = Model.load(
  writeImage({ ...activityShaped(3), exits: activityShaped(3).exits.map((exit) => ({ ...exit, threshold: 32769 })) }),
);

describe("the measured gain of asking, and the measured loss of a shallower exit", () => {
  it("are bounds over wearers: of one wearer nothing is known, of equal ones the difference itself", async () => {
    const rightCloud: SimulatedCloud = { worked: 0, answer: async () => ({ label: 0, confidence: 1 }) };
    const one = await tunePolicy(model, [recordingOf("a", 60)], "test", rightCloud);
    expect(one.table.asked.leastGain).toBe(-1);
    expect(one.table.unsure.slice(0, -1).map(({ mostLoss }) => mostLoss)).toEqual([1, 1, 1]);
    const two = await tunePolicy(model, [recordingOf("a", 60), recordingOf("b", 60)], "test", rightCloud);
    const { decisions, wrongBefore, wrongAfter, leastGain } = two.table.asked;
    expect(wrongBefore).toBeGreaterThan(0);
    expect(wrongAfter).toBe(0);
    expect(leastGain).toBeCloseTo(wrongBefore / decisions, 9);
    for (const { wrong, mostLoss } of two.table.unsure) expect(mostLoss).toBeCloseTo(wrong - two.table.unsure.at(-1)!.wrong, 9);
  });
});

describe("a policy's usual disagreement", () => {
  it("is, label by label, that of the wearer with whom the cloud disagrees most, and 1 where nobody has enough answers", async () => {
    const hops = [120, 120, 15]; // by wearer; nobody is ever sure, so that each is asked
    const confidences = hops.flatMap((count, wearer) => Array.from({ length: count }, () => [0.9, 0.7, 0.1][wearer]!));
    const recordings = hops.map((count, wearer) => recordingOf(String(wearer), count));
    const tuning = await tunePolicy(model, recordings, "test", cloudOf(confidences));
    expect(tuning.decisions).toBe(255);
    expect(tuning.table.asked.decisions).toBe(255);
    const disagreements = new Set(tuning.usualDisagreement.map((disagreement) => disagreement.toFixed(6)));
    expect([...disagreements].sort()).toEqual(["0.300000", "1.000000"]); // the third wearer's 15 answers are too few
  });
});
