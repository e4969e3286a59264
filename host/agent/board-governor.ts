import type { Model } from "../core/session/model.ts";
import { createDriftMonitor, type DriftMonitor } from "../policy/govern/drift-monitor.ts";
import { createAgentGovernor } from "../policy/govern/governed.ts";
import type { AgentGovernor } from "../policy/govern/governor-types.ts";
import type { TunedPolicy } from "../policy/govern/policy-file.ts";
import { createPrivacyBudget, type PrivacyBudget } from "../policy/govern/privacy-budget.ts";
import { type Battery, createBattery } from "../power/battery.ts";
import type { RadioProfile } from "../power/board-power.ts";
import { createBudget, discretionaryWatts } from "../power/budget.ts";
import { createPoweredDevice, type PoweredDevice } from "../power/device.ts";
import { createEnergyModel } from "../power/energy.ts";
import type { PoweredBoard } from "../power/powered-board.ts";
import { createRadio, type Radio } from "../power/radio.ts";
import { createThermalModel, type ThermalModel } from "../power/thermal.ts";
import type { AgentDefinition } from "./define-agent.ts";

/** The bucket holds as much as comes in in this time: a busy hour may borrow from a quiet one. */
const BUCKET_SECONDS = 3600;
/** A bucket never holds less than this many exchanges: a device that may ask at all can ask once. */
const BUCKET_EXCHANGES = 8;

/** Sensor data that may leave a governed board per day, if its agent does not say. */
const PRIVACY_BYTES_PER_DAY = 4_194_304;

/** Where a governed board is, and how long it shall last. */
export interface BoardSurroundings {
  readonly radio: RadioProfile;
  readonly policy: TunedPolicy;
  readonly ambientCelsius: (atSeconds: number) => number;
  readonly stateOfCharge: number; // 0…1, at the start
  readonly targetSeconds: number; // that the battery shall last
  /** Sensor data that may leave the device. Default: the agent's, or 4 MiB. */
  readonly privacyBytesPerDay?: number;
  readonly reportSeconds: number; // between two reports: what is not urgent waits for them, or for another wake-up of the radio
  /** A simulated network. Left out: packets are real, and priced as the board's radio would carry them. */
  readonly network?: { roundTripSeconds(): number; flush(): void };
}

/** A board with its governor; all of it is on the time of the frames. */
export interface GovernedBoard {
  readonly governor: AgentGovernor;
  readonly device: PoweredDevice;
  readonly battery: Battery;
  readonly thermal: ThermalModel;
  readonly radio: Radio;
  readonly drift: DriftMonitor;
  readonly privacy: PrivacyBudget;
}

/** The governor of an agent on a board: power and thermal model, joules per hour, radio prices, drift monitor and privacy budget. */
export function governBoard(definition: AgentDefinition, model: Model, board: PoweredBoard, where: BoardSurroundings): GovernedBoard {
  const { policy, ambientCelsius, targetSeconds, reportSeconds, network } = where;
  const { asks, sensor } = definition;
  const energy = createEnergyModel(board.power, sensor.rateHz);
  const battery = createBattery(board.battery, where.stateOfCharge);
  const thermal = createThermalModel(board.thermal, ambientCelsius(0));
  const radio = createRadio(where.radio);
  const floorWatts = energy.sleepWatts + energy.sensorWatts + energy.loadWatts;
  const rateWatts = discretionaryWatts(battery.usableJoules(ambientCelsius(0)), targetSeconds, floorWatts);
  const budget = createBudget({
    rateWatts,
    capacityJoules: Math.max(rateWatts * BUCKET_SECONDS, BUCKET_EXCHANGES * exchangeJoules(radio)),
  });
  const device = createPoweredDevice({ energy, budget, battery, thermal, radio, ambientCelsius });
  const drift = createDriftMonitor(policy.drift);
  const privacy = createPrivacyBudget({
    bytesPerDay: where.privacyBytesPerDay ?? privacyBytesPerDay(asks),
    bitsPerHour: asks.privacyBitsAnHour,
  });
  const roundTripSeconds = where.radio.roundTripMillis.value / 1000;
  const governor = createAgentGovernor({
    image: model.image,
    device,
    rateHz: sensor.rateHz,
    table: policy.table,
    prices: policy.prices,
    drift,
    privacy,
    asks,
    leastExit: definition.suspicion?.atExit,
    reportSeconds,
    targetSeconds,
    carries: network === undefined,
    roundTripSeconds: () => network?.roundTripSeconds() ?? roundTripSeconds,
    onReport: () => network?.flush(),
  });
  return { governor, device, battery, thermal, radio, drift, privacy };
}

/** What an agent on a governed board may send per day. */
export function privacyBytesPerDay(asks: AgentDefinition["asks"]): number {
  return asks.privacyBytesPerDay ?? PRIVACY_BYTES_PER_DAY;
}

/** An ask with its context and the answer, from an idle radio. */
function exchangeJoules(radio: Radio): number {
  return radio.priceJoules(0, { bytesUp: 4096, bytesDown: 256, waitSeconds: 1 });
}
