import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBudget, discretionaryWatts } from "../../../host/power/budget.ts";
import { createBudgetGovernor } from "../../../host/power/budget-level.ts";

const operation = fc.record({
  waitSeconds: fc.double({ min: 0, max: 5000, noNaN: true }),
  joules: fc.double({ min: 0, max: 50, noNaN: true }),
});

describe("a budget in joules", () => {
  it("is overspent by at most one operation, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.array(operation, { maxLength: 200 }),
        (rateWatts, capacityJoules, operations) => {
          const budget = createBudget({ rateWatts, capacityJoules });
          let seconds = 0;
          let spent = 0;
          let largest = 0;
          for (const { waitSeconds, joules } of operations) {
            budget.advance(waitSeconds);
            seconds += waitSeconds;
            if (!budget.isOpen) continue;
            budget.spend(joules);
            spent += joules;
            largest = Math.max(largest, joules);
            // Counted from outside: never more than the first fill, all that came in, and one operation.
            expect(spent).toBeLessThanOrEqual(capacityJoules + rateWatts * seconds + largest + 1e-6 * (1 + spent));
          }
          expect(budget.overspendJoules).toBeLessThanOrEqual(1e-9 * (1 + spent));
          expect(budget.fill).toBeGreaterThanOrEqual(0);
          expect(budget.fill).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("tells what was overspent by who spends without asking", () => {
    const budget = createBudget({ rateWatts: 0, capacityJoules: 1 });
    for (let i = 0; i < 5; i++) budget.spend(1);
    expect(budget.overspendJoules).toBeCloseTo(3, 12); // 5 spent, 1 there, 1 for the operation that was under way
  });

  it("degrades by its fill, further and further, and back with hysteresis", () => {
    const state = { fill: 1, isOpen: true };
    const governor = createBudgetGovernor(state);
    const levels = [1, 0.45, 0.29, 0.1].map((fill) => {
      state.fill = fill;
      return governor.judge();
    });
    expect(levels).toEqual([0, 1, 2, 3]);
    state.isOpen = false;
    state.fill = 0;
    expect(governor.judge()).toBe(4);
    state.isOpen = true;
    state.fill = 0.04;
    expect(governor.judge()).toBe(4); // not with every joule
    state.fill = 0.2;
    expect(governor.judge()).toBe(3);
    state.fill = 0.35;
    expect(governor.judge()).toBe(2);
    state.fill = 1;
    expect(governor.judge()).toBe(0);
  });

  it("gives nothing to spend where the floor alone is too much", () => {
    expect(discretionaryWatts(100, 1000, 0.2)).toBe(0);
    expect(discretionaryWatts(100, 1000, 0.04)).toBeCloseTo(0.06, 12);
    expect(discretionaryWatts(100, 0, 0)).toBe(0);
  });
});
