import type { Board } from "../agent/board.ts";
import type { AgentDefinition } from "../agent/define-agent.ts";
import { ConfigError } from "../core/errors.ts";
import type { Model } from "../core/model.ts";
import type { DriftOptions } from "../policy/drift-monitor.ts";
import type { CostTable, Prices } from "../policy/expected-cost.ts";
import { type Battery, createBattery } from "../power/battery.ts";
import type { BatteryFigures, PowerFigures, RadioKind, RadioProfile, ThermalFigures } from "../power/board-power.ts";
import { createEnergyModel, type EnergyModel } from "../power/energy.ts";
import { createThermalModel, type ThermalModel } from "../power/thermal.ts";
import type { SimulatedCloud } from "./cloud.ts";
import type { Day } from "./day.ts";
import type { NetworkTrace } from "./network-trace.ts";

/** A board whose joules and heat can be told. */
export type PoweredBoard = Board & { readonly power: PowerFigures; readonly battery: BatteryFigures; readonly thermal: ThermalFigures };

/** Checks that a board has all that a day needs. Throws BOARD_NO_POWER. */
export function poweredBoard(board: Board): PoweredBoard {
  const { power, battery, thermal } = board;
  if (power !== undefined && battery !== undefined && thermal !== undefined) return { ...board, power, battery, thermal };
  throw new ConfigError(
    "BOARD_NO_POWER",
    `board ${board.id} has no figures of power, battery and heat: nobody wears it. Choose nrf52840-dk, nucleo-u575, pico, feather-stm32f405 or smart-glasses, or add power, battery and thermal to its board.json.`,
  );
}

/** What an agent's policy was tuned to, and on whom. */
export interface TunedPolicy {
  readonly table: CostTable;
  readonly prices: Prices;
  readonly drift: DriftOptions;
}

/** One day to be simulated. */
export interface DaySetting {
  readonly definition: AgentDefinition;
  readonly model: Model;
  readonly board: PoweredBoard;
  readonly radioKind: RadioKind;
  readonly radio: RadioProfile;
  readonly day: Day;
  readonly trace: NetworkTrace;
  readonly cloud: SimulatedCloud | undefined; // undefined: nobody answers
  readonly policy: TunedPolicy;
  readonly seed: number;
  readonly ambientCelsius: (atSeconds: number) => number;
  readonly stateOfCharge: number; // at the start
  readonly targetSeconds: number; // that the battery shall last
  readonly privacyBytesPerDay: number;
  readonly reportSeconds: number;
}

/** What a day's operations and standing still cost. */
export function energyOf({ board, model }: Pick<DaySetting, "board" | "model">): EnergyModel {
  return createEnergyModel(board.power, model.image.frameRateMillihertz / 1000);
}

/** The parts of a fresh device. */
export function freshDevice({
  board,
  model,
  ambientCelsius,
  stateOfCharge,
}: Pick<DaySetting, "board" | "model" | "ambientCelsius" | "stateOfCharge">): {
  energy: EnergyModel;
  battery: Battery;
  thermal: ThermalModel;
} {
  return {
    energy: energyOf({ board, model }),
    battery: createBattery(board.battery, stateOfCharge),
    thermal: createThermalModel(board.thermal, ambientCelsius(0)),
  };
}
