import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChoiceInput, choosePlan } from "../../../host/policy/expected-cost.ts";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const joules = fc.double({ min: 0, max: 0.1, noNaN: true });
const row = fc.record({ unsure: share, wrong: share, wrongUnsure: share, macs: fc.double({ min: 0, max: 1e6, noNaN: true }) });
const input: fc.Arbitrary<ChoiceInput> = fc.record({
  table: fc.record({
    sure: fc.array(row, { minLength: 4, maxLength: 4 }),
    doubt: fc.array(row, { minLength: 4, maxLength: 4 }),
    asked: fc.record({ decisions: fc.constant(100), wrongBefore: fc.nat(100), wrongAfter: fc.nat(100) }),
  }),
  prices: fc.record({
    wrongJoules: joules,
    deferredJoules: joules,
    latencyJoulesPerSecond: joules,
    privacyJoulesPerByte: fc.double({ min: 0, max: 1e-5, noNaN: true }),
  }),
  isInDoubt: fc.boolean(),
  exits: fc.record({ first: fc.nat(1), last: fc.integer({ min: 1, max: 3 }) }),
  joulesPerMac: fc.double({ min: 0, max: 1e-8, noNaN: true }),
  ask: fc.record({
    isPossible: fc.boolean(),
    nowJoules: joules,
    laterJoules: joules,
    laterSeconds: fc.double({ min: 0, max: 60, noNaN: true }),
    latencySeconds: fc.double({ min: 0, max: 60, noNaN: true }),
    deadlineSeconds: fc.constant(30),
    bytes: fc.nat(4000),
    priceFactor: fc.double({ min: 1, max: 16, noNaN: true }),
  }),
  settledDecisions: fc.double({ min: 1, max: 20, noNaN: true }),
});

describe("the plan of least expected cost", () => {
  it("is never dearer than any other plan that was allowed", () => {
    fc.assert(
      fc.property(input, (given) => {
        const plan = choosePlan(given);
        const rows = given.isInDoubt ? given.table.doubt : given.table.sure;
        for (let maxExit = given.exits.first; maxExit <= given.exits.last; maxExit++) {
          const { macs, wrong, unsure } = rows[maxExit]!;
          const fixed = macs * given.joulesPerMac * given.ask.priceFactor + given.prices.wrongJoules * wrong;
          expect(plan.expectedJoules).toBeLessThanOrEqual(fixed + unsure * given.prices.deferredJoules + 1e-12); // without asking
        }
        expect(plan.maxExit).toBeGreaterThanOrEqual(given.exits.first);
        expect(plan.maxExit).toBeLessThanOrEqual(given.exits.last);
        if (!given.ask.isPossible || given.ask.latencySeconds > given.ask.deadlineSeconds) expect(plan.ask).toBe("never");
      }),
    );
  });

  it("asks no more when joules are scarcer", () => {
    fc.assert(
      fc.property(input, fc.double({ min: 1, max: 10, noNaN: true }), (given, times) => {
        const dear = choosePlan({ ...given, ask: { ...given.ask, priceFactor: given.ask.priceFactor * times } });
        if (choosePlan(given).ask === "never") expect(dear.ask).toBe("never");
      }),
    );
  });

  const base: ChoiceInput = {
    table: {
      sure: [1, 0.2, 0.1, 0.05].map((unsure, k) => ({ unsure, wrong: 0.05 - k / 100, wrongUnsure: 0.2, macs: 1e5 * (k + 1) })),
      doubt: [1, 0.6, 0.55, 0.54].map((unsure, k) => ({ unsure, wrong: 0.09 - k / 100, wrongUnsure: 0.15, macs: 1e5 * (k + 1) })),
      asked: { decisions: 100, wrongBefore: 20, wrongAfter: 10 },
    },
    prices: { wrongJoules: 0.01, deferredJoules: 0.001, latencyJoulesPerSecond: 0, privacyJoulesPerByte: 0 },
    isInDoubt: false,
    exits: { first: 1, last: 3 },
    joulesPerMac: 1e-9,
    ask: {
      isPossible: true,
      nowJoules: 0.005,
      laterJoules: 0.001,
      laterSeconds: 300,
      latencySeconds: 0.2,
      deadlineSeconds: 30,
      bytes: 3072,
      priceFactor: 1,
    },
    settledDecisions: 8,
  };

  it("asks now where it pays, later where the radio will be up soon, and never where it is too dear", () => {
    expect(choosePlan(base).ask).toBe("now");
    expect(choosePlan({ ...base, ask: { ...base.ask, laterSeconds: 1 } }).ask).toBe("later");
    expect(choosePlan({ ...base, ask: { ...base.ask, nowJoules: 0.2 } }).ask).toBe("never");
    expect(choosePlan({ ...base, prices: { ...base.prices, privacyJoulesPerByte: 1e-5 } }).ask).toBe("never");
  });

  it("goes deeper where wrong labels are dear, and stops early where joules are", () => {
    expect(choosePlan({ ...base, prices: { ...base.prices, wrongJoules: 1 } }).maxExit).toBe(3);
    expect(choosePlan({ ...base, joulesPerMac: 1e-6 }).maxExit).toBe(1);
  });
});
