import { DEEPEST_WORKING, type DegradeLevel } from "./degrade.ts";
import type { ThermalModel } from "./thermal.ts";

/** How far ahead heat is looked at: what comes in bursts counts by its mean over so long. */
export const HEAT_HORIZON_SECONDS = 60;

/** What heat lets the device do. */
export interface ThermalVerdict {
  readonly level: DegradeLevel;
  /** Share of the time that it may work, at that level: continuous, so that it settles. */
  readonly duty: number;
  /** Even resting most of the time it would cross the limit: what heats is not the agent's. */
  readonly isBeyondReach: boolean;
}

export interface ThermalGovernorOptions {
  /** Kept free below the limit, kelvin. Default 0.5. */
  readonly marginKelvin?: number;
  /** How far ahead it looks. Default HEAT_HORIZON_SECONDS. */
  readonly horizonSeconds?: number;
  /** How far below the limit a better level's settled temperature must lie. Default 1 K beyond the margin. */
  readonly hysteresisKelvin?: number;
  /** Seconds at a level before a better one is tried. Default 900: at most four changes upwards an hour. */
  readonly dwellSeconds?: number;
  /** Work never stops: the least duty. Default 0.02. */
  readonly leastDuty?: number;
}

/**
 * Quality first, then time: when the work of its level would cross the limit within the horizon it takes the next level, and what is
 * still too much at the last one is throttled by a continuous duty. It goes back up only where the better level could go on for ever.
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
