import { describe, expect, it } from "vitest";
import { applyLda, windowStatistics } from "../../../host/core/arithmetic/lda.ts";
import { createAdapter, emptyAdaptation, MOST_WINDOWS, PRIOR_WINDOWS } from "../../../host/personalize/adapter.ts";
import { fixedPoint } from "../../../host/personalize/logit-scale.ts";
import { adaptable, windowsFor } from "./support.ts";

const { image, prior } = adaptable();
const { lda } = image;
const size = lda.means.length;
const knees = image.features.map(({ knee }) => knee);

/** A window's statistics, standardised as they count. */
const standard = (window: Int8Array): number[] =>
  [...windowStatistics(window, knees)].map((value, f) => {
    const limit = lda.limits[f]!;
    return Math.max(-limit, Math.min(limit, value - lda.means[f]!)) / prior.deviations[f]!;
  });

/** Twice the log density about a place, but for a constant. */
const distance = (z: readonly number[], at: readonly number[]): number => {
  const d = z.map((value, f) => value - at[f]!);
  return -d.reduce((sum, value, f) => sum + value * d.reduce((own, other, g) => own + prior.precision[f * size + g]! * other, 0), 0);
};

describe("an adapter of the LDA head", () => {
  it("gives the image's own head, bit for bit, before it has learned", () => {
    const adapter = createAdapter(image, prior);
    expect(adapter.lda()).toBe(lda);
    expect(adapter.learn(windowsFor(image, 1)[0]!, 2)).toBe(true);
    expect(adapter.lda().weights).not.toEqual(lda.weights);
    expect(createAdapter(image, prior, emptyAdaptation(lda)).lda()).toBe(lda);
  });

  it("moves a class by windows ÷ (windows + prior) of the way to its windows, and weighs by the density about the new place", () => {
    const learned = windowsFor(image, 6);
    const adapter = createAdapter(image, prior);
    for (const window of learned) adapter.learn(window, 3);
    const own = adapter.lda();
    const before = [...prior.centres.subarray(3 * size, 4 * size)];
    const middle = before.map((_, f) => learned.reduce((sum, window) => sum + standard(window)[f]! / 6, 0));
    const after = before.map((centre, f) => centre + (6 / (6 + PRIOR_WINDOWS)) * (middle[f]! - centre));
    for (const window of windowsFor(image, 5, 9)) {
      const z = standard(window);
      const expected = (prior.share / 2) * (distance(z, after) - distance(z, before)) * 1024; // Q10 logits of class 3, over all others
      const raw = (one: typeof lda) => {
        const sums = Array.from(one.bias, Number);
        z.forEach((value, f) => {
          for (let c = 0; c < 7; c++) sums[c]! += Math.round(value * prior.deviations[f]!) * one.weights[f * 7 + c]!;
        });
        return sums.map((sum) => sum / 2 ** one.shift);
      };
      const [now, then] = [raw(own), raw(lda)];
      const change = now[3]! - then[3]! - (now[0]! - then[0]!);
      expect(change / expected).toBeCloseTo(1, 2); // s16 weights
      expect(now[0]! - then[0]! - (now[6]! - then[6]!)).toBeCloseTo(0, -2); // the others stand as they stood to each other
    }
  });

  it("makes what it learned likelier and stays within the core's integers, however far away the windows are", () => {
    const far = new Int8Array(image.windowPatches * 24).map((_, i) => (Math.floor(i / 6) % 2 ? 127 : -128));
    const adapter = createAdapter(image, prior);
    for (let i = 0; i < 100; i++) adapter.learn(far, 1);
    const own = adapter.lda();
    const said = (one: typeof lda) => applyLda(one, windowStatistics(far, knees))[1]!;
    expect(said(own)).toBeGreaterThan(said(lda));
    expect(own.shift).toBeLessThanOrEqual(lda.shift);
  });

  it("holds a weight that s16 cannot at the largest that it can", () => {
    const { weights, shift } = fixedPoint({ slopes: Float64Array.of(40_000, -40_000, 3.4), levels: Float64Array.of(0) });
    expect([...weights, shift]).toEqual([32_767, -32_768, 3, 0]);
  });

  it("learns nothing from a window of a dead sensor", () => {
    const adapter = createAdapter(image, prior);
    expect(adapter.learn(new Int8Array(image.windowPatches * 24).fill(7), 0)).toBe(false);
    expect(adapter.lda()).toBe(lda);
  });

  it("forgets slowly beyond its bound, and keeps whole numbers that its windows could have made", () => {
    const [first, later] = windowsFor(image, 2) as [Int8Array, Int8Array];
    const adapter = createAdapter(image, prior);
    for (let i = 0; i < MOST_WINDOWS; i++) adapter.learn(first, 0);
    const before = standard(first);
    for (let i = 0; i < 4 * MOST_WINDOWS; i++) adapter.learn(later, 0);
    expect(adapter.adaptation.windows[0]).toBe(MOST_WINDOWS);
    const mean = (f: number) => adapter.adaptation.sums[f]! / MOST_WINDOWS / prior.deviations[f]!;
    const to = standard(later);
    const f = to.reduce((best, z, i) => (Math.abs(z - before[i]!) > Math.abs(to[best]! - before[best]!) ? i : best), 0);
    expect(Math.abs(mean(f) - to[f]!)).toBeLessThan(0.05 * Math.abs(before[f]! - to[f]!));
    expect(adapter.adaptation.sums.every((sum, i) => Number.isInteger(sum) && Math.abs(sum) <= MOST_WINDOWS * lda.limits[i % size]!)).toBe(
      true,
    );
  });

  it("goes on from what was taught before, without touching it", () => {
    const windows = windowsFor(image, 4);
    const whole = createAdapter(image, prior);
    for (const window of windows) whole.learn(window, 5);
    const half = createAdapter(image, prior);
    for (const window of windows.slice(0, 2)) half.learn(window, 5);
    const rest = createAdapter(image, prior, half.adaptation);
    for (const window of windows.slice(2)) rest.learn(window, 5);
    expect(rest.lda()).toEqual(whole.lda());
    expect(half.adaptation.windows[5]).toBe(2);
  });
});
