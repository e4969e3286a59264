import { expect, it } from "vitest";
import type { FleetRow } from "../../../host/web/messages.ts";
import { compareRows, type FleetColumn, isMatch } from "../../../host/web/page/fleet-order.ts";

const row = { state: "awake", label: "sitting", stateOfCharge: 0.5, skinCelsius: 30, model: "aa", asks: 0 } as const;
const rows: readonly FleetRow[] = [
  { ...row, node: "n10", asks: 3 },
  { ...row, node: "n2", stateOfCharge: -1 },
  { ...row, node: "n1", label: "", stateOfCharge: 0.1 },
];
const sorted = (column: FleetColumn, isDescending = false) =>
  rows.toSorted((a, b) => compareRows(a, b, { column, isDescending })).map(({ node }) => node);

it("names sort naturally, numbers by size, the unknown last in both directions", () => {
  expect(sorted("node")).toEqual(["n1", "n2", "n10"]);
  expect(sorted("node", true)).toEqual(["n10", "n2", "n1"]);
  expect(sorted("stateOfCharge")).toEqual(["n1", "n10", "n2"]);
  expect(sorted("stateOfCharge", true)).toEqual(["n10", "n1", "n2"]);
  expect(sorted("label", true)).toEqual(["n2", "n10", "n1"]);
  expect(sorted("asks", true)).toEqual(["n10", "n1", "n2"]);
});

it("a filter wants each of its words somewhere in the row", () => {
  expect(isMatch(rows[0]!, "SITTING n1")).toBe(true);
  expect(isMatch(rows[0]!, "sitting n2")).toBe(false);
  expect(isMatch(rows[0]!, "  ")).toBe(true);
});
