import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAdapter } from "../../../host/policy/adapter.ts";

const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

describe("a wearer's adapter", () => {
  it("is the identity until it has learned, and again after a reset", () => {
    const adapter = createAdapter(3, { rate: 0.3 });
    const logits = [0.25, -1, 3];
    expect(adapter.apply(logits)).toEqual(logits);
    adapter.learn(logits, { label: 0, confidence: 0.9 });
    expect(adapter.apply(logits)).not.toEqual(logits);
    adapter.reset();
    expect(adapter.apply(logits)).toEqual(logits);
    expect(adapter.norm()).toBe(0);
    expect(adapter.parameters).toBe(12);
  });

  it("learns nothing at rate 0", () => {
    const adapter = createAdapter(2, { rate: 0 });
    adapter.learn([1, 0], { label: 1, confidence: 1 });
    expect(adapter.apply([1, 0])).toEqual([1, 0]);
  });

  it("mends what the answers keep mending, and leaves the sure rest alone", () => {
    const adapter = createAdapter(3, { rate: 0.3 });
    const confused = [1, 0.6, -2]; // says 0 where the cloud says 1
    for (let i = 0; i < 12; i++) adapter.learn(confused, { label: 1, confidence: 0.95 });
    expect(largest(adapter.apply(confused))).toBe(1);
    expect(largest(adapter.apply([5, -1, -3]))).toBe(0);
    expect(largest(adapter.apply([-2, -1, 4]))).toBe(2);
  });

  it("stands still where the answer says what it says itself, as surely", () => {
    const adapter = createAdapter(2, { rate: 1 });
    const logits = [Math.log(3), 0]; // 0.75 to 0.25
    adapter.learn(logits, { label: 0, confidence: 0.75 });
    expect(adapter.norm()).toBeCloseTo(0, 12);
  });

  it("never leaves its ball, whatever it is told, and stays finite", () => {
    const logit = fc.double({ min: -60, max: 60, noNaN: true });
    const answer = fc.record({
      logits: fc.array(logit, { minLength: 4, maxLength: 4 }),
      label: fc.integer({ min: 0, max: 3 }),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 60 }), fc.double({ min: 0, max: 100, noNaN: true }), (answers, rate) => {
        const adapter = createAdapter(4, { rate, bound: 1.5 });
        for (const { logits, label, confidence } of answers) adapter.learn(logits, { label, confidence });
        expect(adapter.norm()).toBeLessThanOrEqual(1.5 + 1e-9);
        for (const value of adapter.apply([1, 2, 3, 4])) expect(value).toSatisfy(Number.isFinite);
      }),
    );
  });

  it("forgets what is not said again", () => {
    const adapter = createAdapter(2, { rate: 0.5, decay: 0.2 });
    for (let i = 0; i < 20; i++) adapter.learn([1, 0], { label: 1, confidence: 0.9 });
    const learned = adapter.norm();
    for (let i = 0; i < 20; i++) {
      const [a = 0, b = 0] = adapter.apply([0, 3]);
      const confidence = 1 / (1 + Math.exp(a - b)); // the answer agrees: no gradient
      adapter.learn([0, 3], { label: 1, confidence });
    }
    expect(adapter.norm()).toBeLessThan(0.1 * learned);
  });
});
