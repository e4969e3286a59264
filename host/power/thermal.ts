import type { ThermalFigures } from "./board-power.ts";

/** The touched surface as a first-order RC, and the junction a step above it. */
export interface ThermalModel {
  readonly skinCelsius: number;
  readonly junctionCelsius: number; // at the power of the last step
  readonly maxSkinCelsius: number; // so far
  readonly limitCelsius: number;
  /** Time constant R·C, seconds. */
  readonly tauSeconds: number;
  /** Advances by a stretch of constant power. */
  step(watts: number, ambientCelsius: number, seconds: number): void;
  /** Skin temperature after `seconds` of constant power from now. */
  forecast(watts: number, ambientCelsius: number, seconds: number): number;
  /**
   * The constant power after which the skin is at `limit` in `seconds`, and never above it before; the junction's limit counts too.
   * Held for less than that and asked again, the skin nears its limit from below and never crosses it.
   */
  allowedWatts(limit: number, ambientCelsius: number, seconds: number): number;
  /** Largest constant power that keeps the skin below its limit forever. */
  sustainedWatts(limit: number, ambientCelsius: number): number;
}

/**
 * dT/dt = (P − (T − T_amb)/R)/C, solved exactly over each step: T_end + (T − T_end)·e^(−t/RC), T_end = T_amb + P·R. So no step is too
 * long. Starts at the ambient temperature. Source: survey 000, eq. 19.
 */
export function createThermalModel(
  figures: ThermalFigures,
  startCelsius: number,
  limitCelsius = figures.skin.limitCelsius.value,
): ThermalModel {
  const resistance = figures.skin.kelvinPerWatt.value;
  const tau = resistance * figures.skin.joulesPerKelvin.value;
  const { kelvinPerWatt: toJunction, limitCelsius: junctionLimit } = figures.junction;
  let skin = startCelsius;
  let most = startCelsius;
  let watts = 0;
  const after = (power: number, ambient: number, seconds: number): number => {
    const end = ambient + power * resistance;
    return end + (skin - end) * Math.exp(-seconds / tau);
  };
  return {
    get skinCelsius() {
      return skin;
    },
    get junctionCelsius() {
      return skin + watts * toJunction.value;
    },
    get maxSkinCelsius() {
      return most;
    },
    limitCelsius,
    tauSeconds: tau,
    step(power, ambient, seconds) {
      watts = power;
      skin = after(power, ambient, seconds);
      most = Math.max(most, skin);
    },
    forecast: after,
    allowedWatts(limit, ambient, seconds) {
      const kept = Math.exp(-seconds / tau);
      const end = (limit - skin * kept) / (1 - kept); // where it would settle if it reached the limit just then
      const bySkin = (end - ambient) / resistance;
      const byJunction = toJunction.value === 0 ? Number.POSITIVE_INFINITY : (junctionLimit.value - skin) / toJunction.value;
      return Math.max(0, Math.min(bySkin, byJunction));
    },
    sustainedWatts: (limit, ambient) => Math.max(0, (limit - ambient) / resistance),
  };
}
