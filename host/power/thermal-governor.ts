import { DEEPEST_WORKING, type DegradeLevel } from "./degrade.ts";
import type { ThermalModel } from "./thermal.ts";

/** Prediction horizon of heat; bursts count by their mean over it. */
export const HEAT_HORIZON_SECONDS = 60;

/** Thermal limits on the device's work. */
export interface ThermalVerdict {
  readonly level: DegradeLevel;
  /** Duty cycle at that level, 0…1; continuous, so that it settles. */
  readonly duty: number;
  /** The limit is crossed even at the least duty: the heat is not the agent's. */
  readonly isBeyondReach: boolean;
}

export interface ThermalGovernorOptions {
  /** Kept free below the limit, kelvin. Default 0.5. */
  readonly marginKelvin?: number;
  /** Prediction horizon, seconds. Default HEAT_HORIZON_SECONDS. */
  readonly horizonSeconds?: number;
  /** How far below the limit a better level's settled temperature must lie. Default 1 K beyond the margin. */
  readonly hysteresisKelvin?: number;
  /** Seconds at a level before a better one is tried. Default 900: at most four upward changes per hour. */
  readonly dwellSeconds?: number;
  /** Least duty; work never stops. Default 0.02. */
  readonly leastDuty?: number;
}

/**
 * Predictive throttling: quality first, then duty. If the work of the current level would cross the limit within the horizon, the next
 * level applies. At the last level a continuous duty cycle throttles. A better level returns only if it could run forever.
 */
export function createThermalGovernor(thermal: ThermalModel, options: ThermalGovernorOptions = {}) {
  const { marginKelvin = 0.5, horizonSeconds = HEAT_HORIZON_SECONDS, hysteresisKelvin = 1, dwellSeconds = 900, leastDuty = 0.02 } = options;
  const target = thermal.limitCelsius - marginKelvin;
  let level: DegradeLevel = 0;
  let sinceChange = Number.POSITIVE_INFINITY;
  return {
    /** `workWatts`: what back-to-back work at each level draws; `otherWatts`: what draws anyway. Call at least every horizon. */
    judge(seconds: number, ambientCelsius: number, workWatts: (level: DegradeLevel) => number, otherWatts: number): ThermalVerdict {
      sinceChange += seconds;
      const allowed = thermal.allowedWatts(target, ambientCelsius, horizonSeconds);
      const forEver = thermal.sustainedWatts(target, ambientCelsius);
      const bearable = thermal.sustainedWatts(target - hysteresisKelvin, ambientCelsius);
      if (level < DEEPEST_WORKING && otherWatts + workWatts(level) > Math.max(allowed, forEver)) {
        level = (level + 1) as DegradeLevel;
        sinceChange = 0;
      } else if (level > 0 && sinceChange >= dwellSeconds && otherWatts + workWatts((level - 1) as DegradeLevel) <= bearable) {
        level = (level - 1) as DegradeLevel;
        sinceChange = 0;
      }
      const work = workWatts(level);
      const room = (allowed - otherWatts) / Math.max(1e-12, work);
      return { level, duty: Math.max(leastDuty, Math.min(1, room)), isBeyondReach: room < leastDuty };
    },
  };
}
