import { expect, it } from "vitest";
import { verdictOn } from "../../../host/simulate/verdict.ts";

const local = { accuracy: 0.99, joules: 100 };
const full = { accuracy: 0.99, joules: 120 };

it.each([
  ["equal", { accuracy: 0.99, joules: 100 }, full, "alwaysLocal", true],
  ["within 0.02 points and 3 %", { accuracy: 0.98981, joules: 102.9 }, full, "alwaysLocal", true],
  ["0.03 points less", { accuracy: 0.9897, joules: 90 }, full, "alwaysLocal", false],
  ["4 % dearer", { accuracy: 1, joules: 104 }, full, "alwaysLocal", false],
  ["the deeper baseline clearly better", { accuracy: 0.99, joules: 100 }, { accuracy: 0.995, joules: 120 }, "fullDepth", false],
  ["as good as the deeper one, for less", { accuracy: 0.995, joules: 100 }, { accuracy: 0.995, joules: 120 }, "fullDepth", true],
] as const)("a governed day, %s", (_, governed, fullDepth, best, isAsGood) => {
  expect(verdictOn(governed, { fullDepth, alwaysLocal: local })).toMatchObject({ best, isAsGood });
});
