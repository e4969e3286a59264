import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AskPlan, type ChoiceInput, choosePlan } from "../../../../host/policy/govern/expected-cost.ts";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const joules = fc.double({ min: 0, max: 0.1, noNaN: true });
const difference = fc.double({ min: -1, max: 1, noNaN: true });
const macs = fc.double({ min: 0, max: 1e6, noNaN: true });
const row = fc.record({ unsure: share, wrong: share, wrongUnsure: share, macs, mostLoss: difference });
const input: fc.Arbitrary<ChoiceInput> = fc.record({
  table: fc.record({
    sure: fc.array(row, { minLength: 4, maxLength: 4 }),
    unsure: fc.array(row, { minLength: 4, maxLength: 4 }),
    asked: fc.record({ decisions: fc.constantFrom(0, 100), wrongBefore: fc.nat(100), wrongAfter: fc.nat(100), leastGain: difference }),
  }),
  prices: fc.record({
    wrongJoules: joules,
    deferredJoules: joules,
    latencyJoulesPerSecond: joules,
    privacyJoulesPerByte: fc.double({ min: 0, max: 1e-5, noNaN: true }),
  }),
  isUnsure: fc.boolean(),
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

/** What one plan costs, written out apart from the product: Infinity where it is not allowed. */
function joulesOf(given: ChoiceInput, maxExit: number, plan: AskPlan): number {
  const { table, prices, isUnsure, joulesPerMac, ask, settledDecisions, exits } = given;
  const row = (isUnsure ? table.unsure : table.sure)[maxExit]!;
  if (maxExit !== exits.last && row.mostLoss >= 0) return Number.POSITIVE_INFINITY; // not measured to be better
  const fixed = row.macs * joulesPerMac * ask.priceFactor + prices.wrongJoules * row.wrong;
  if (plan === "never") return fixed + row.unsure * prices.deferredJoules;
  const waitSeconds = ask.latencySeconds + (plan === "later" ? ask.laterSeconds : 0);
  if (!ask.isPossible || waitSeconds > ask.deadlineSeconds) return Number.POSITIVE_INFINITY;
  const { decisions, leastGain } = table.asked;
  const worth = settledDecisions * (decisions > 0 ? prices.wrongJoules * leastGain : prices.deferredJoules);
  const leftShare = plan === "later" ? 1 - ask.laterSeconds / ask.deadlineSeconds : 1; // the doubt may be over by then
  const radio = (plan === "later" ? ask.laterJoules : ask.nowJoules) * ask.priceFactor;
  const waiting = waitSeconds * prices.latencyJoulesPerSecond;
  const unsure = prices.deferredJoules - worth * leftShare + radio + ask.bytes * prices.privacyJoulesPerByte + waiting;
  return fixed + row.unsure * Math.max(0, unsure);
}

describe("the plan of least expected cost", () => {
  it("is never dearer than any other plan that was allowed", () => {
    fc.assert(
      fc.property(input, (given) => {
        const plan = choosePlan(given);
        for (let maxExit = given.exits.first; maxExit <= given.exits.last; maxExit++)
          for (const ask of ["now", "later", "never"] as const)
            expect(plan.expectedJoules, `${ask} at exit ${maxExit}`).toBeLessThanOrEqual(joulesOf(given, maxExit, ask) + 1e-12);
        expect(plan.expectedJoules).toBeCloseTo(joulesOf(given, plan.maxExit, plan.ask), 12);
        expect(plan.maxExit).toBeGreaterThanOrEqual(given.exits.first);
        expect(plan.maxExit).toBeLessThanOrEqual(given.exits.last);
        if (!given.ask.isPossible || given.ask.latencySeconds > given.ask.deadlineSeconds) expect(plan.ask).toBe("never");
      }),
      { numRuns: 2000 }, // most plans cost nothing beyond their exit: few tell one share of an answer's worth from another
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
      sure: [1, 0.2, 0.1, 0.05].map((unsure, k) => ({
        unsure,
        wrong: 0.05 - k / 100,
        wrongUnsure: 0.2,
        macs: 1e5 * (k + 1),
        mostLoss: -0.01,
      })),
      unsure: [1, 0.6, 0.55, 0.54].map((unsure, k) => ({
        ...{ unsure, wrong: 0.09 - k / 100, wrongUnsure: 0.15, macs: 1e5 * (k + 1), mostLoss: -0.01 },
      })),
      asked: { decisions: 100, wrongBefore: 30, wrongAfter: 10, leastGain: 0.15 },
    },
    prices: { wrongJoules: 0.01, deferredJoules: 0.001, latencyJoulesPerSecond: 0, privacyJoulesPerByte: 0 },
    isUnsure: false,
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

  it("asks only if the lower bound of the measured gain is above zero; if nothing was measured, by the worth of an answer", () => {
    const free = { ...base.ask, nowJoules: 0, laterJoules: 0, latencySeconds: 0 };
    const withGain = (leastGain: number, decisions = 100) =>
      choosePlan({ ...base, ask: free, table: { ...base.table, asked: { ...base.table.asked, leastGain, decisions } } }).ask;
    expect([withGain(0.001), withGain(0), withGain(-0.01), withGain(-1, 0)]).toEqual(["now", "never", "never", "now"]);
  });

  it("takes a shallower exit only if it was measured to be better, beyond the error of that", () => {
    const withLoss = (...losses: readonly number[]) => {
      const sure = base.table.sure.map((row, k) => ({ ...row, mostLoss: losses[k]! }));
      return choosePlan({ ...base, joulesPerMac: 1e-6, table: { ...base.table, sure } }).maxExit;
    };
    expect([withLoss(-1, -0.01, -0.01, 0), withLoss(-1, 0, -0.01, 0), withLoss(0, 0.1, 0, 0)]).toEqual([1, 2, 3]);
  });

  it("asks now rather than later for fewer joules, when the doubt will mostly be over by then", () => {
    expect(choosePlan({ ...base, ask: { ...base.ask, laterSeconds: 20 } }).ask).toBe("now");
  });

  it("goes no deeper, and asks no more, for the same cost", () => {
    const free = { ...base.prices, wrongJoules: 0, deferredJoules: 0 };
    const ask = { ...base.ask, nowJoules: 0, laterJoules: 0, laterSeconds: 0 };
    expect(choosePlan({ ...base, prices: free, joulesPerMac: 0, ask })).toEqual({ maxExit: 1, ask: "never", expectedJoules: 0 });
    const worth = { ...base.prices, wrongJoules: 0 };
    const table = { ...base.table, asked: { ...base.table.asked, decisions: 0 } };
    expect(choosePlan({ ...base, table, prices: worth, joulesPerMac: 0, ask })).toMatchObject({ maxExit: 1, ask: "now" }); // as soon as later
  });

  it("goes deeper where wrong labels are dear, and stops early where joules are", () => {
    expect(choosePlan({ ...base, prices: { ...base.prices, wrongJoules: 1 } }).maxExit).toBe(3);
    expect(choosePlan({ ...base, joulesPerMac: 1e-6 }).maxExit).toBe(1);
  });
});
