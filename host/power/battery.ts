import { type BatteryFigures, onCurve } from "./board-power.ts";

const MONTH_SECONDS = 30 * 86_400;

/** A cell that is drained in joules. */
export interface Battery {
  /** Joules that a full cell gives at 25 °C. */
  readonly capacityJoules: number;
  /** 0…1 of the charge. */
  readonly stateOfCharge: number;
  /** Open-circuit volts at the state of charge. */
  readonly volts: number;
  /** Joules that can still be drawn at this temperature, until the cell cuts off. */
  usableJoules(celsius: number): number;
  /** Draws joules over a stretch of time; self-discharge is added. The charge never falls below 0. */
  drain(joules: number, seconds: number): void;
}

/** Watts that a full cell loses on the shelf. */
export function selfDischargeWatts(figures: BatteryFigures): number {
  return (capacityOf(figures) * figures.selfDischargePercentPerMonth.value) / 100 / MONTH_SECONDS;
}

/**
 * Capacity by the mean of its voltage curve; self-discharge as a share of what is left; in the cold a part of the charge cannot be drawn.
 * `stateOfCharge` is where it starts, default 1.
 */
export function createBattery(figures: BatteryFigures, stateOfCharge = 1): Battery {
  const capacityJoules = capacityOf(figures);
  const lossPerSecond = figures.selfDischargePercentPerMonth.value / 100 / MONTH_SECONDS;
  let charge = Math.max(0, Math.min(1, stateOfCharge));
  return {
    capacityJoules,
    get stateOfCharge() {
      return charge;
    },
    get volts() {
      return onCurve(figures.volts.points, charge);
    },
    usableJoules(celsius) {
      const locked = 1 - Math.max(0, Math.min(1, onCurve(figures.usableShare.points, celsius)));
      return Math.max(0, charge - locked) * capacityJoules;
    },
    drain(joules, seconds) {
      charge = Math.max(0, charge * Math.exp(-lossPerSecond * seconds) - joules / capacityJoules);
    },
  };
}

/** ∫ volts d(charge): trapezoids of the curve, times the charge. */
function capacityOf({ capacityMilliampHours, volts }: BatteryFigures): number {
  let mean = 0;
  for (let i = 1; i < volts.points.length; i++) {
    const [x0, y0] = volts.points[i - 1]!;
    const [x1, y1] = volts.points[i]!;
    mean += ((y0 + y1) / 2) * (x1 - x0);
  }
  return capacityMilliampHours.value * 3.6 * mean;
}
