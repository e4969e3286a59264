import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAdapter, type ExitOutput } from "../../../host/policy/adapter.ts";

const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values));
const output = (logits: readonly number[], ...features: number[]): ExitOutput => ({ logits, features: Int8Array.from(features) });

describe("a wearer's adapter", () => {
  it("is the identity until it has learned, and again after a reset", () => {
    const adapter = createAdapter(3, 2, { rate: 0.3 });
    const own = output([0.25, -1, 3], 32, -64);
    expect(adapter.apply(own)).toEqual(own.logits);
    adapter.learn(own, { label: 0, confidence: 0.9 });
    expect(adapter.apply(own)).not.toEqual(own.logits);
    adapter.reset();
    expect(adapter.apply(own)).toEqual(own.logits);
    expect(adapter.norm()).toBe(0);
    expect(adapter.parameters).toBe(9);
  });

  it("learns nothing at rate 0", () => {
    const adapter = createAdapter(2, 1, { rate: 0 });
    adapter.learn(output([1, 0], 32), { label: 1, confidence: 1 });
    expect(adapter.apply(output([1, 0], 32))).toEqual([1, 0]);
  });

  it("tells apart by features what has the same logits", () => {
    const adapter = createAdapter(3, 2, { rate: 0.3 });
    const confused = output([1, 0.6, -2], 60, -20); // says 0 where the cloud says 1
    const right = output([1, 0.6, -2], -60, 20);
    for (let i = 0; i < 12; i++) {
      adapter.learn(confused, { label: 1, confidence: 0.95 });
      adapter.learn(right, { label: 0, confidence: 0.95 });
    }
    expect(largest(adapter.apply(confused))).toBe(1);
    expect(largest(adapter.apply(right))).toBe(0);
    expect(largest(adapter.apply(output([-2, -1, 4], 60, -20)))).toBe(2);
  });

  it("stands still where the answer says what it says itself, as surely", () => {
    const adapter = createAdapter(2, 1, { rate: 1 });
    adapter.learn(output([Math.log(3), 0], 20), { label: 0, confidence: 0.75 }); // 0.75 to 0.25
    expect(adapter.norm()).toBeCloseTo(0, 12);
  });

  it("never leaves its ball, whatever it is told, and stays finite", () => {
    const logit = fc.double({ min: -60, max: 60, noNaN: true });
    const answer = fc.record({
      logits: fc.array(logit, { minLength: 4, maxLength: 4 }),
      features: fc.int8Array({ minLength: 3, maxLength: 3 }),
      label: fc.integer({ min: 0, max: 3 }),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 60 }), fc.double({ min: 0, max: 100, noNaN: true }), (answers, rate) => {
        const adapter = createAdapter(4, 3, { rate, bound: 1.5 });
        for (const { label, confidence, ...own } of answers) adapter.learn(own, { label, confidence });
        expect(adapter.norm()).toBeLessThanOrEqual(1.5 + 1e-9);
        for (const value of adapter.apply(output([1, 2, 3, 4], 127, -128, 0))) expect(value).toSatisfy(Number.isFinite);
      }),
    );
  });

  it("forgets what is not said again", () => {
    const adapter = createAdapter(2, 1, { rate: 0.5, decay: 0.2 });
    for (let i = 0; i < 20; i++) adapter.learn(output([1, 0], 32), { label: 1, confidence: 0.9 });
    const learned = adapter.norm();
    const own = output([0, 3], 32);
    for (let i = 0; i < 20; i++) {
      const [a = 0, b = 0] = adapter.apply(own);
      const confidence = 1 / (1 + Math.exp(a - b)); // the answer agrees: no gradient
      adapter.learn(own, { label: 1, confidence });
    }
    expect(adapter.norm()).toBeLessThan(0.1 * learned);
  });
});
