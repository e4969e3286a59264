import { SENSE_ONLY } from "../power/degrade.ts";
import type { GovernedDay, MinuteRow } from "./results.ts";
import { createBoardEnergy, type DaySetting } from "./setting.ts";

/** A stretch of a day, seconds from its start. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Stretches of consecutive rows that satisfy a predicate. */
export function findStretches(rows: readonly MinuteRow[], holds: (row: MinuteRow) => boolean): Stretch[] {
  const found: { from: number; to: number }[] = [];
  let from = 0;
  for (const row of rows) {
    if (holds(row)) {
      const last = found.at(-1);
      if (last?.to === from) last.to = row.atSeconds;
      else found.push({ from, to: row.atSeconds });
    }
    from = row.atSeconds;
  }
  return found;
}

/** Stretches in which the device only sensed: its budget was spent. */
export function sensedOnly(rows: readonly MinuteRow[]): Stretch[] {
  return findStretches(rows, ({ decisions, level }) => decisions === 0 && level === SENSE_ONLY);
}

/**
 * Course of a day. `decidedShare`: share of its time with decisions. `silentFromSeconds`: time of the last decision, null if it decided
 * to the end. `floorHours`: battery life from the initial charge for sensor, sleep and load alone.
 */
export function courseDocument(setting: DaySetting, governed: GovernedDay, life: (watts: number, stateOfCharge: number) => number) {
  const { board, day, stateOfCharge } = setting;
  const { rows, restedShare, aliveSeconds } = governed;
  const { sleepWatts, sensorWatts, loadWatts } = createBoardEnergy(setting);
  const isEmpty = aliveSeconds < day.seconds;
  const last = sensedOnly(rows).at(-1);
  const isSilent = last !== undefined && last.to >= rows.at(-1)!.atSeconds;
  return {
    decidedShare: Number((((1 - restedShare) * aliveSeconds) / day.seconds).toPrecision(6)),
    silentFromSeconds: isSilent ? last.from : isEmpty ? aliveSeconds : null,
    batteryEmptyAtSeconds: isEmpty ? aliveSeconds : null,
    floorHours: Number(life(sleepWatts + sensorWatts + loadWatts, stateOfCharge).toPrecision(5)),
    load: board.power.load?.name ?? null,
  };
}
