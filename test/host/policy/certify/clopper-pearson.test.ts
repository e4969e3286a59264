import { expect, it } from "vitest";
import { binomialTail, clopperPearsonUpper } from "../../../../host/policy/certify/clopper-pearson.ts";

it("agrees with closed forms and tables of the exact binomial bound", () => {
  expect(clopperPearsonUpper(0, 100, 0.05)).toBeCloseTo(1 - 0.05 ** (1 / 100), 10); // no failure: 1 − δ^(1/n)
  expect(clopperPearsonUpper(1, 10, 0.025)).toBeCloseTo(0.445016, 5); // two-sided 95 % interval of 1 in 10
  expect(clopperPearsonUpper(5, 100, 0.025)).toBeCloseTo(0.112835, 5); // and of 5 in 100
  expect(clopperPearsonUpper(9, 10, 0.05)).toBeCloseTo(0.95 ** (1 / 10), 10); // all but one: 1 − p^n = δ
});

it("says nothing where nothing was tried or all failed", () => {
  expect(clopperPearsonUpper(0, 0, 0.1)).toBe(1);
  expect(clopperPearsonUpper(7, 7, 0.1)).toBe(1);
});

it("sums the binomial tail", () => {
  expect(binomialTail(1, 3, 0.5)).toBeCloseTo(0.5, 12);
  expect(binomialTail(2, 4, 0.25)).toBeCloseTo(0.94921875, 12);
});
