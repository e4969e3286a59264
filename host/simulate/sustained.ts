import type { ModelImage } from "../core/image/image-types.ts";
import type { BatteryFigures, PowerFigures, ThermalFigures } from "../power/board-power.ts";
import { DEEPEST_WORKING, type DegradeLevel, degraded, degradeLevels } from "../power/degrade.ts";
import { createEnergyModel } from "../power/energy.ts";
import { createOpsMeter } from "../power/ops-meter.ts";
import { createThermalModel } from "../power/thermal.ts";
import { createThermalGovernor } from "../power/thermal-governor.ts";

export interface SustainedSetting {
  readonly image: ModelImage;
  readonly board: { readonly power: PowerFigures; readonly thermal: ThermalFigures; readonly battery?: BatteryFigures };
  readonly seconds: number;
  readonly ambientCelsius: number;
  readonly isGoverned: boolean;
}

export interface SustainedRow {
  readonly atSeconds: number;
  readonly skinCelsius: number;
  readonly junctionCelsius: number;
  readonly level: DegradeLevel;
  readonly duty: number;
  readonly decisionsPerSecond: number;
}

export interface SustainedRun {
  readonly rows: readonly SustainedRow[];
  readonly skinMaxCelsius: number;
  readonly limitCelsius: number;
  readonly levelChanges: number;
  /** Most changes within any hour, the first one included. */
  readonly levelChangesPerHour: number;
  readonly burstPerSecond: number; // cold, at full depth
  readonly sustainedPerSecond: number; // mean of the last quarter
  readonly leastDuty: number;
  readonly meanWatts: number;
  readonly levels: readonly string[]; // seconds at each level, named
}

const STEP_SECONDS = 1;

/**
 * Back-to-back decisions beside a declared load, at the rate of full depth on a cold device. A level with fewer cycles draws less power
 * for the same decisions; a lower duty makes fewer. Without a governor it stays at full depth at any skin temperature.
 */
export function sustainedRun({ image, board, seconds, ambientCelsius, isGoverned }: SustainedSetting): SustainedRun {
  const rateHz = image.frameRateMillihertz / 1000;
  const energy = createEnergyModel(board.power, rateHz);
  const meter = createOpsMeter(image);
  const thermal = createThermalModel(board.thermal, ambientCelsius);
  const governor = createThermalGovernor(thermal);
  const hopSeconds = degradeLevels.map((_, level) => {
    const { maxExit, hopPatches } = degraded(image, level as DegradeLevel, 1);
    return (energy.computeSeconds(meter.steady(maxExit, hopPatches)) * image.hopPatches) / hopPatches;
  });
  const burstPerSecond = 1 / hopSeconds[0]!;
  const workWatts = (level: DegradeLevel): number => (energy.activeWatts * hopSeconds[level]!) / hopSeconds[0]!;
  const otherWatts = energy.sleepWatts + energy.sensorWatts + energy.loadWatts;
  const rows: SustainedRow[] = [];
  const changesAt: number[] = [];
  const atLevel = new Array<number>(DEEPEST_WORKING + 1).fill(0);
  let level: DegradeLevel = 0;
  let joules = 0;
  for (let at = 0; at < seconds; at += STEP_SECONDS) {
    const verdict = isGoverned
      ? governor.judge(STEP_SECONDS, ambientCelsius, workWatts, otherWatts)
      : { level: 0 as DegradeLevel, duty: 1 };
    if (verdict.level !== level) changesAt.push(at);
    level = verdict.level;
    atLevel[level]! += STEP_SECONDS;
    const watts = otherWatts + workWatts(level) * verdict.duty;
    thermal.step(watts, ambientCelsius, STEP_SECONDS);
    joules += watts * STEP_SECONDS;
    rows.push({
      atSeconds: at + STEP_SECONDS,
      skinCelsius: thermal.skinCelsius,
      junctionCelsius: thermal.junctionCelsius,
      level,
      duty: verdict.duty,
      decisionsPerSecond: burstPerSecond * verdict.duty,
    });
  }
  const lastQuarter = rows.slice(Math.floor(rows.length * 0.75));
  return {
    rows,
    skinMaxCelsius: thermal.maxSkinCelsius,
    limitCelsius: thermal.limitCelsius,
    levelChanges: changesAt.length,
    levelChangesPerHour: mostWithin(changesAt, 3600),
    burstPerSecond,
    sustainedPerSecond: lastQuarter.reduce((sum, row) => sum + row.decisionsPerSecond, 0) / Math.max(1, lastQuarter.length),
    leastDuty: rows.reduce((least, { duty }) => Math.min(least, duty), Number.POSITIVE_INFINITY),
    meanWatts: joules / seconds,
    levels: atLevel.map((spent, i) => `${degradeLevels[i]} ${spent} s`),
  };
}

/** Most of the ascending times that lie within a stretch of `seconds`. */
function mostWithin(times: readonly number[], seconds: number): number {
  let most = 0;
  let from = 0;
  for (let to = 0; to < times.length; to++) {
    while (times[to]! - times[from]! >= seconds) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
