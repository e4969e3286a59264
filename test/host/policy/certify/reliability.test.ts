import { expect, it } from "vitest";
import { reliability } from "../../../../host/policy/certify/reliability.ts";

it("is zero where confidence is accuracy, bin by bin", () => {
  const confidence = [...new Array<number>(10).fill(0.9), ...new Array<number>(10).fill(0.5)];
  const isRight = confidence.map((value, i) => i % 10 < value * 10);
  expect(reliability(confidence, isRight).ece).toBeCloseTo(0, 12);
});

it("weighs each bin's gap by its decisions", () => {
  const { ece, bins } = reliability([1, 1, 1, 0.5], [true, true, false, true], 2);
  expect(bins.map(({ count }) => count)).toEqual([1, 3]); // a bin ends with its upper edge: 0.5 lies in the first
  expect(bins[1]).toMatchObject({ confidence: 1, accuracy: expect.closeTo(2 / 3, 12) });
  expect(ece).toBeCloseTo((1 / 4) * 0.5 + (3 / 4) * (1 / 3), 12);
});

it("counts every decision once, whatever its confidence", () => {
  const confidence = Array.from({ length: 101 }, (_, i) => i / 100);
  const { bins } = reliability(
    confidence,
    confidence.map(() => true),
  );
  expect(bins).toHaveLength(15);
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(101);
});

it("has no error of no decisions", () => {
  expect(reliability([], []).ece).toBe(0);
});
