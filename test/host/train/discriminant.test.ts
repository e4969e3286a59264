import { describe, expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { createRandom } from "../../../host/core/system/random.ts";
import { scoredWindows } from "../../../host/data/recording.ts";
import { fitDiscriminant } from "../../../host/train/discriminant.ts";
import { computeLdaLogitsAt, fitLda, readStatistics } from "../../../host/train/fit-lda.ts";
import { fitLdaShare } from "../../../host/train/lda-share.ts";
import { recordingOfTwo } from "./support/tiny-training.ts";

describe("a linear discriminant", () => {
  const random = createRandom(3);
  // Two classes apart along x, a shared spread that is wide along x + y.
  const draw = (label: number): number[] => {
    const [wide, narrow] = [3 * random.normal(), 0.3 * random.normal()];
    return [wide + narrow + (label === 0 ? -1 : 1), wide - narrow];
  };
  const labels = Array.from({ length: 400 }, (_, i) => i % 2);
  const rows = labels.map(draw);

  it("looks across the shared spread, not along it", () => {
    const { mean, deviation, weights, bias } = fitDiscriminant(rows, labels, 2, 0);
    const score = (row: readonly number[], c: number) =>
      row.reduce((sum, value, f) => sum + (weights[c * 2 + f]! * (value - mean[f]!)) / deviation[f]!, bias[c]!);
    const right = labels.filter((label) => {
      const row = draw(label);
      return Number(score(row, 1) > score(row, 0)) === label;
    });
    expect(right.length).toBeGreaterThan(380); // on fresh draws; either axis alone tells them apart in six of ten
    const direction = [0, 1].map((f) => (weights[2 + f]! - weights[f]!) / deviation[f]!);
    expect(direction[1]! / direction[0]!).toBeCloseTo(-1, 1);
  });

  it("shrunk to the end has only the means, and says which class has no row", () => {
    const { mean, deviation, weights } = fitDiscriminant(rows, labels, 2, 1);
    const centre = (c: number, f: number) => {
      const own = rows.filter((_, i) => labels[i] === c).map((row) => (row[f]! - mean[f]!) / deviation[f]!);
      return own.reduce((sum, value) => sum + value, 0) / own.length;
    };
    expect(weights[2]! / weights[3]!).toBeCloseTo(centre(1, 0) / centre(1, 1), 6);
    expect(() => fitDiscriminant(rows, labels, 3, 0.1)).toThrow("class 2 has no window");
  });
});

it("an LDA head fitted to recordings names their windows in the core's integers", () => {
  const { features } = activityTraining;
  const recordings = ["1", "2", "4", "5"].map((subject, i) => recordingOfTwo(subject, 9 + i));
  const classOf = (label: number) => [4, 6, 7].indexOf(label);
  const { lda } = fitLda(recordings, features, classOf, 3, {
    shrinkage: 0.1,
    rotationRadians: [0.1, 0.1, 0.1],
    share: 0.15,
    offsets: [0, 0, 0],
  });
  const windows = scoredWindows(recordingOfTwo("3", 20));
  const right = windows.filter(({ start, label }) => {
    const said = computeLdaLogitsAt(lda, recordingOfTwo("3", 20), start, features);
    return said.indexOf(Math.max(...said)) === classOf(label);
  });
  expect(windows.length).toBeGreaterThan(20);
  expect(right.length / windows.length).toBeGreaterThan(0.95);
});

it("a fitting share keeps logits within what the core's integers hold", () => {
  const { features } = activityTraining;
  const classOf = (label: number) => [4, 6, 7].indexOf(label);
  const [fit, select] = [["1", "2", "4"], ["5"]].map((wearers) => wearers.map((subject, i) => recordingOfTwo(subject, 9 + i)));
  const recipe = { shrinkage: 0.001, rotationRadians: [0, 0, 0], offsets: [0, 0, 0] } as const;
  const topOf = (share: number) => {
    const { lda } = fitLda([...fit!, ...select!], features, classOf, 3, { ...recipe, share });
    const windows = select!.flatMap((recording) =>
      scoredWindows(recording).map(({ start }) => computeLdaLogitsAt(lda, recording, start, features)),
    );
    return Math.max(...windows.map((logits) => Math.max(...logits)));
  };
  expect(topOf(1)).toBe(32767); // two classes at the limit cannot be told apart
  const share = fitLdaShare(readStatistics([...fit!, ...select!], features, classOf, [0, 0, 0]), recipe);
  expect(share).toBeGreaterThan(0);
  expect(topOf(share)).toBeLessThan(0.75 * 32767);
});
