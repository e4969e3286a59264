import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMIT_TRANSITION_COST } from "../../../../assembly/layout.ts";
import { argmaxLabel } from "../../../../host/core/arithmetic/exit-head.ts";
import { LabelSmoother } from "../../../../host/core/arithmetic/smoothing.ts";

/** 0 and 1 are near each other, and so are 1 and 2; 2 is far from 0. */
const near = 1024;
const far = 2048;
const smoothing = { shift: 4, transitionCosts: Int32Array.of(0, near, far, near, 0, near, far, near, 0) };

const saying = (label: number, by = 2048): Int16Array => Int16Array.from({ length: 3 }, (_, j) => (j === label ? by : 0));

/** Labels of decisions from these logits, each after so many patches. */
function labels(heard: readonly Int16Array[], patches = 16): number[] {
  const own = new LabelSmoother({ smoothing, nClasses: 3 });
  return heard.map((logits) => {
    const scores = own.scores(logits);
    own.keep(logits, patches);
    return argmaxLabel(scores);
  });
}

describe("Viterbi smoothing", () => {
  it("leaves the first decision as it is, and every decision without smoothing", () => {
    const unsmoothed = new LabelSmoother({ nClasses: 3 });
    const first = new LabelSmoother({ smoothing, nClasses: 3 });
    fc.assert(
      fc.property(fc.int16Array({ minLength: 3, maxLength: 3 }), (logits) => {
        first.reset();
        expect([...first.scores(logits)]).toEqual([...logits]);
        unsmoothed.keep(logits, 16);
        expect([...unsmoothed.scores(logits)]).toEqual([...logits]);
      }),
    );
  });

  it("is not moved by one odd hop that is worth less than the change and the change back", () => {
    expect(labels([saying(0), saying(0), saying(2), saying(0)])).toEqual([0, 0, 0, 0]);
    expect(labels([saying(0), saying(0), saying(1, 500), saying(0)])).toEqual([0, 0, 0, 0]);
  });

  it("follows what goes on being said, the nearer the sooner", () => {
    expect(labels([saying(0), saying(1), saying(1)])).toEqual([0, 1, 1]);
    expect(labels([saying(0), saying(2), saying(2), saying(2)])).toEqual([0, 0, 2, 2]);
  });

  it("hears 16 patches at once as 16 times one patch, and more as no more", () => {
    const long = [0, 1, 1, 2, 2, 2, 0].map((label) => saying(label));
    const short = long.flatMap((logits) => Array.from({ length: 16 }, () => logits));
    expect(labels(short, 1).filter((_, i) => i % 16 === 15)).toEqual(labels(long, 16));
    expect(labels(long, 64)).toEqual(labels(long, 16));
  });

  it("keeps scores that a snapshot takes back, whatever is said at whatever cost", () => {
    const cost = fc.integer({ min: 0, max: LIMIT_TRANSITION_COST });
    const transitionCosts = fc
      .array(cost, { minLength: 9, maxLength: 9 })
      .map((all) => Int32Array.from(all, (value, i) => (i % 4 === 0 ? 0 : value)));
    const heard = fc.array(fc.tuple(fc.int16Array({ minLength: 3, maxLength: 3 }), fc.nat(2000)), { maxLength: 12 });
    fc.assert(
      fc.property(transitionCosts, fc.nat(10), heard, (own, shift, all) => {
        const kept = new Int32Array(3);
        const one = new LabelSmoother({ smoothing: { shift, transitionCosts: own }, nClasses: 3 }, kept);
        for (const [logits, patches] of all) {
          one.keep(logits, patches);
          expect(Math.max(...kept)).toBe(0);
          expect(Math.min(...kept)).toBeGreaterThanOrEqual(-LIMIT_TRANSITION_COST);
        }
      }),
    );
  });
});
