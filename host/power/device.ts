import type { Ops } from "../core/image/ops.ts";
import type { Battery } from "./battery.ts";
import type { Budget } from "./budget.ts";
import type { EnergyModel, EnergyParts } from "./energy.ts";
import type { Radio } from "./radio.ts";
import type { ThermalModel } from "./thermal.ts";

export interface PoweredDeviceParts {
  readonly energy: EnergyModel;
  readonly budget: Budget;
  readonly battery?: Battery | undefined;
  readonly thermal?: ThermalModel | undefined;
  readonly radio?: Radio | undefined;
  readonly ambientCelsius: (atSeconds: number) => number;
}

/** Energy account of a device: takes work and time; updates battery, heat and budget. */
export interface PoweredDevice extends PoweredDeviceParts {
  /** Joules so far, by part; a declared load apart. */
  joules(): EnergyParts & { readonly load: number };
  /** Mean watts of the last stretch. */
  readonly watts: number;
  readonly atSeconds: number;
  /** Work that was just done. Returns its joules. */
  compute(ops: Ops): number;
  /** Sets the price of an exchange aside as one operation, before it begins. */
  reserve(joules: number): void;
  /** Advances time; the sensor is off if `isSensing` is false. */
  advance(toSeconds: number, isSensing?: boolean): void;
}

/** An exchange and its resends end this long after the reservation; asks have half a minute. */
const EXCHANGE_SECONDS = 60;

/**
 * One energy account per device. The budget governs compute and radio exchanges; sensor, sleep, load and an idle radio are only
 * accounted. An exchange first uses its reservation. Joules beyond it (resends) count as the same operation while that lasts; an unused
 * rest is carried to the next exchange. Unreserved work is an operation of its own each time.
 */
export function createPoweredDevice(parts: PoweredDeviceParts): PoweredDevice {
  const { energy, budget, battery, thermal, radio, ambientCelsius } = parts;
  let at = 0;
  let compute = 0;
  let sensor = 0;
  let sleep = 0;
  let load = 0;
  let fresh = 0; // joules of work since the last stretch
  let radioBefore = 0;
  let idleBefore = 0;
  let reserved = 0;
  let exchange = 0; // what the last one has taken from the budget so far
  let reservedAt = Number.NEGATIVE_INFINITY;
  let watts = 0;
  return {
    ...parts,
    joules: () => ({ compute, radio: radio?.joules ?? 0, sensor, sleep, load }),
    get watts() {
      return watts;
    },
    get atSeconds() {
      return at;
    },
    compute(ops) {
      const joules = energy.computeJoules(ops);
      compute += joules;
      fresh += joules;
      budget.spend(joules);
      return joules;
    },
    reserve(joules) {
      const left = radio?.isUp(at) ? 0 : Math.min(reserved, joules);
      budget.spend(joules - left, left);
      reserved += joules - left;
      exchange = joules;
      reservedAt = at;
    },
    advance(toSeconds, isSensing = true) {
      const seconds = toSeconds - at;
      if (!(seconds > 0)) return;
      at = toSeconds;
      radio?.advance(toSeconds);
      const own = {
        sensor: isSensing ? energy.sensorWatts * seconds : 0,
        sleep: energy.sleepWatts * seconds,
        load: energy.loadWatts * seconds,
        radio: (radio?.joules ?? 0) - radioBefore,
      };
      const governed = own.radio - ((radio?.idleJoules ?? 0) - idleBefore);
      radioBefore = radio?.joules ?? 0;
      idleBefore = radio?.idleJoules ?? 0;
      const beyond = Math.max(0, governed - reserved);
      reserved = Math.max(0, reserved - governed);
      if (toSeconds - reservedAt > EXCHANGE_SECONDS) exchange = 0;
      else exchange += beyond;
      if (beyond > 0) budget.spend(beyond, exchange === 0 ? 0 : exchange - beyond);
      sensor += own.sensor;
      sleep += own.sleep;
      load += own.load;
      const all = fresh + own.sensor + own.sleep + own.load + own.radio;
      fresh = 0;
      watts = all / seconds;
      thermal?.step(watts, ambientCelsius(toSeconds), seconds);
      battery?.drain(all, seconds);
      budget.advance(seconds);
    },
  };
}
