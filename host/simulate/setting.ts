import type { AgentDefinition } from "../agent/define-agent.ts";
import type { Model } from "../core/session/model.ts";
import type { TunedPolicy } from "../policy/govern/policy-file.ts";
import type { RadioKind, RadioProfile } from "../power/board-power.ts";
import { createEnergyModel, type EnergyModel } from "../power/energy.ts";
import type { PoweredBoard } from "../power/powered-board.ts";
import type { SimulatedCloud } from "./cloud.ts";
import type { Day } from "./day.ts";
import type { NetworkTrace } from "./network-trace.ts";

/** One day to be simulated. */
export interface DaySetting {
  readonly definition: AgentDefinition;
  readonly model: Model;
  readonly board: PoweredBoard;
  readonly radioKind: RadioKind;
  readonly radio: RadioProfile;
  readonly day: Day;
  readonly trace: NetworkTrace;
  readonly cloud: SimulatedCloud | undefined; // undefined: no answers
  readonly policy: TunedPolicy;
  readonly seed: number;
  readonly ambientCelsius: (atSeconds: number) => number;
  readonly stateOfCharge: number; // at the start
  readonly targetSeconds: number; // aimed-at battery life
  readonly privacyBytesPerDay: number;
  readonly reportSeconds: number;
}

/** Prices of operations and idle time. */
export function createBoardEnergy({ board, model }: Pick<DaySetting, "board" | "model">): EnergyModel {
  return createEnergyModel(board.power, model.image.frameRateMillihertz / 1000);
}

/** What sensor and sleep take over the day, whatever is decided. */
export function floorJoules(setting: Pick<DaySetting, "board" | "model" | "day">): { sensor: number; sleep: number } {
  const { sensorWatts, sleepWatts } = createBoardEnergy(setting);
  return { sensor: sensorWatts * setting.day.seconds, sleep: sleepWatts * setting.day.seconds };
}
