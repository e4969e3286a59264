import type { FleetRow } from "../messages.ts";

/** A column of the table of nodes, by the field that it shows. */
export type FleetColumn = "node" | "state" | "label" | "stateOfCharge" | "skinCelsius" | "model" | "firmware" | "asks" | "wallMillis";

export interface FleetOrder {
  readonly column: FleetColumn;
  readonly isDescending: boolean;
}

/** Names in natural order, numbers by size; what is equal or unknown by name, the unknown last. */
export function compareRows(a: FleetRow, b: FleetRow, { column, isDescending }: FleetOrder): number {
  const byName = a.node.localeCompare(b.node, "en", { numeric: true });
  const [left, right] = [knownValue(a, column), knownValue(b, column)];
  if (left === undefined || right === undefined) return (left === undefined ? 1 : 0) - (right === undefined ? 1 : 0) || byName;
  const order =
    typeof left === "number" && typeof right === "number"
      ? left - right
      : String(left).localeCompare(String(right), "en", { numeric: true });
  return (isDescending ? -order : order) || byName;
}

function knownValue(row: FleetRow, column: FleetColumn): string | number | undefined {
  const value = row[column];
  return value === undefined || value === "" || (typeof value === "number" && value < 0) ? undefined : value;
}

/** Whether a row has every word of a filter somewhere: in its name, state, label, model or firmware. */
export function isMatch({ node, state, label, model, firmware = "" }: FleetRow, filter: string): boolean {
  const all = [node, state, label, model, firmware].join(" ").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
