import { describe, expect, it } from "vitest";
import { createRandom } from "../../../host/agent/random.ts";
import { areaUnderRoc, fitGate } from "../../../host/policy/gate.ts";
import { fitLogistic } from "../../../host/policy/logistic.ts";

describe("logistic regression", () => {
  it("finds the odds that the targets were drawn with", () => {
    const random = createRandom(5);
    const rows = Array.from({ length: 4000 }, () => [3 + 2 * random.normal(), random.normal()]);
    const odds = ([a, b]: readonly number[]): number => 0.5 + 0.8 * (a! - 3) - 1.2 * b!;
    const targets = rows.map((row) => random.uniform() < 1 / (1 + Math.exp(-odds(row))));
    const fitted = fitLogistic(rows, targets);
    expect(fitted.parameters).toBe(3);
    for (const row of [
      [3, 0],
      [5, 1],
      [1, -1],
    ])
      expect(fitted.probability(row)).toBeCloseTo(1 / (1 + Math.exp(-odds(row))), 1);
  });

  it("stays finite where a line separates the targets, or a feature never varies", () => {
    const rows = Array.from({ length: 40 }, (_, i) => [i, 7]);
    const fitted = fitLogistic(
      rows,
      rows.map(([a]) => a! >= 20),
    );
    expect(fitted.probability([0, 7])).toBeLessThan(0.2);
    expect(fitted.probability([39, 7])).toBeGreaterThan(0.8);
    expect(fitted.probability([39, 7])).toBeLessThan(1);
  });
});

describe("the gate", () => {
  it("sees what the largest probability cannot: a class that is often wrong", () => {
    const random = createRandom(2);
    const draw = () => {
      const best = random.integer(3);
      const logits = [0, 0, 0].map((_, c) => (c === best ? 2.5 : 0) + 0.1 * random.normal());
      return { logits, isRight: random.uniform() < (best === 2 ? 0.6 : 0.98) };
    };
    const fitOn = Array.from({ length: 1500 }, draw);
    const scored = Array.from({ length: 1500 }, draw);
    const gate = fitGate(
      fitOn.map(({ logits }) => logits),
      fitOn.map(({ isRight }) => isRight),
    );
    const isRight = scored.map((one) => one.isRight);
    const largest = scored.map(({ logits }) => 1 / logits.reduce((sum, value) => sum + Math.exp(value - Math.max(...logits)), 0));
    const area = areaUnderRoc(
      scored.map(({ logits }) => gate.probability(logits)),
      isRight,
    );
    expect(area).toBeGreaterThan(areaUnderRoc(largest, isRight) + 0.2);
    expect(gate.parameters).toBe(7);
  });

  it("has an area of a half for ties and for one kind alone", () => {
    expect(areaUnderRoc([1, 1, 1, 1], [true, false, true, false])).toBe(0.5);
    expect(areaUnderRoc([1, 2], [true, true])).toBe(0.5);
    expect(areaUnderRoc([1, 2, 3, 4], [false, false, true, true])).toBe(1);
    expect(areaUnderRoc([1, 2, 2, 3], [false, false, true, true])).toBe(0.875);
  });
});
