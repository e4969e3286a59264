import type { MinuteRow } from "../../../../host/simulate/results.ts";

/** A row of a quiet minute that ends at `atSeconds`, 1 mW of sensor and 4 mW of load since the day began; `over` says what is other. */
export function minuteRow(atSeconds: number, over: Partial<MinuteRow> = {}): MinuteRow {
  return {
    ...{ atSeconds, decisions: 47, asks: 0, notAsked: 0, audits: 0, exits: [40, 7], label: "walk", truth: "walk" },
    joules: { compute: 0, radio: 0, sensor: 1e-3 * atSeconds, sleep: 0, load: 0 },
    ...{ stateOfCharge: 1, skinCelsius: 23, ambientCelsius: 22, budgetFill: 1, level: 0, duty: 1, isUp: true, isAllowanceSpent: false },
    ...over,
  };
}

/** Rows of whole minutes. */
export function minuteRows(minutes: number, over: (minute: number) => Partial<MinuteRow> = () => ({})): MinuteRow[] {
  return Array.from({ length: minutes }, (_, i) => minuteRow(60 * (i + 1), over(i)));
}
