import { joinedToFit, percentText } from "../../core/system/table.ts";
import { AMBER, GREEN, type Line, RED, type Segment } from "./paint.ts";
import type { ViewState } from "./view-state.ts";

const BAR_COLUMNS = 10;

/** battery 99.8 % · 4.18 V · skin 22.4 of 42 °C · 1.2 mW */
export function powerLine({ power, info }: ViewState, columns: number): Line {
  if (power === undefined) return [];
  const parts: string[] = [];
  if (power.stateOfCharge !== undefined) parts.push(`battery ${percentText(power.stateOfCharge, 2)}`);
  if (power.skinCelsius !== undefined) parts.push(`skin ${power.skinCelsius.toFixed(1)} of ${power.limitCelsius} °C`);
  parts.push(`${(1000 * power.watts).toPrecision(2)} mW`);
  if (power.batteryVolts !== undefined) parts.push(`${power.batteryVolts.toFixed(2)} V`);
  if (info.board !== undefined) parts.push(`as on ${info.board}`);
  const isHot = power.skinCelsius !== undefined && power.limitCelsius !== undefined && power.skinCelsius > power.limitCelsius - 1;
  return [[joinedToFit(parts, columns), ...(isHot ? [RED] : [])]];
}

/** ████████░░ 82 %, 39 J left · nothing is held back */
export function budgetLine({ power }: ViewState, columns: number): Line {
  if (power === undefined) return [];
  const filled = Math.round(power.budgetFill * BAR_COLUMNS);
  const bar: Segment[] = [
    ["█".repeat(filled), power.level === 0 ? GREEN : AMBER],
    ["░".repeat(BAR_COLUMNS - filled), "dim"],
  ];
  const parts = [
    ` ${percentText(power.budgetFill)}`,
    `${power.budgetJoules.toPrecision(3)} J`,
    `${(1000 * power.budgetWatts).toPrecision(2)} mW come in`,
  ];
  if (power.level > 0) parts.push(`level ${power.level} of 4`);
  if (power.duty < 1) parts.push(`works ${percentText(power.duty)} of the time`);
  return [...bar, [joinedToFit(parts, columns - BAR_COLUMNS)]];
}

/** The reason of the last decision, whole: on a second line what the first has no room for. */
export function reasonLines({ decision }: ViewState, columns: number): Line[] {
  if (decision === undefined) return [[]];
  const { reason } = decision;
  if (reason.length <= columns) return [[[reason, "dim"]]];
  const at = reason.lastIndexOf(" ", columns);
  const end = at < 1 ? columns : at;
  return [[[reason.slice(0, end), "dim"]], [[reason.slice(end).trimStart(), "dim"]]];
}
