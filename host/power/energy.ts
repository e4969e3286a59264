import type { Ops } from "../core/image/ops.ts";
import { onCurve, type PowerFigures } from "./board-power.ts";
import { countCycles, cycleCosts } from "./cycle-costs.ts";

/** Parts that a device's joules are split into. */
export interface EnergyParts {
  readonly compute: number;
  readonly radio: number;
  readonly sensor: number;
  readonly sleep: number;
}

/** Prices a board's work in joules. */
export interface EnergyModel {
  computeSeconds(ops: Ops): number;
  /** Computing energy above the sleep floor, which is always drawn. */
  computeJoules(ops: Ops): number;
  readonly activeWatts: number; // above the sleep floor
  readonly sleepWatts: number;
  readonly sensorWatts: number; // at the model's rate
  readonly loadWatts: number; // a declared load, 0 without one
}

/** operations × cycles an operation × energy a cycle. */
export function createEnergyModel(figures: PowerFigures, sensorRateHz: number): EnergyModel {
  const volts = figures.supplyVolts.value;
  const costs = cycleCosts[figures.cycleCosts];
  const sleepWatts = figures.sleepMicroamps.value * 1e-6 * volts;
  const activeWatts = Math.max(0, figures.activeMilliamps.value * 1e-3 * volts - sleepWatts);
  const computeSeconds = (ops: Ops): number => countCycles(ops, costs) / figures.clockHz.value;
  return {
    computeSeconds,
    computeJoules: (ops) => computeSeconds(ops) * activeWatts,
    activeWatts,
    sleepWatts,
    sensorWatts: onCurve(figures.imuMicroamps.points, sensorRateHz) * 1e-6 * volts,
    loadWatts: (figures.load?.milliwatts.value ?? 0) * 1e-3,
  };
}
