import type { Model } from "../core/model.ts";
import { createDriftMonitor } from "../policy/drift-monitor.ts";
import { policyFromCertificate, readPolicy } from "../policy/policy-file.ts";
import { createPrivacyBudget } from "../policy/privacy-budget.ts";
import { createBattery } from "../power/battery.ts";
import type { RadioKind } from "../power/board-power.ts";
import { createBudget, discretionaryWatts } from "../power/budget.ts";
import { createPoweredDevice } from "../power/device.ts";
import { createEnergyModel } from "../power/energy.ts";
import { poweredBoard } from "../power/powered-board.ts";
import { createRadio } from "../power/radio.ts";
import { createThermalModel } from "../power/thermal.ts";
import type { Board } from "./board.ts";
import { loadRadio } from "./board.ts";
import { createAgentGovernor } from "./governed.ts";
import type { AgentGovernor } from "./governor-types.ts";
import type { LoadedAgent } from "./loaded-agent.ts";

/** The board that a live run on this machine is priced as. */
export interface LiveBoard {
  readonly board: Board;
  readonly radio: RadioKind;
}

const TARGET_SECONDS = 7 * 86_400;
const AMBIENT_CELSIUS = 22;
const BUCKET_SECONDS = 3600;
const PRIVACY_BYTES_PER_DAY = 4_194_304;
const REPORT_SECONDS = 600;
/** Loopback answers in a few milliseconds; a radio's round trip is in its profile. */
const MILLIS = 1000;

/** A governor for a live run: the same as in a simulated day, its board, its radio and the air being modelled. Throws BOARD_NO_POWER. */
export function boardGovernor(agent: LoadedAgent, model: Model, live: LiveBoard): AgentGovernor {
  const board = poweredBoard(live.board);
  const profile = loadRadio(board, live.radio);
  const { asks, sensor } = agent.definition;
  const energy = createEnergyModel(board.power, sensor.rateHz);
  const battery = createBattery(board.battery);
  const floor = energy.sleepWatts + energy.sensorWatts + energy.loadWatts;
  const rateWatts = discretionaryWatts(battery.usableJoules(AMBIENT_CELSIUS), TARGET_SECONDS, floor);
  const budget = createBudget({ rateWatts, capacityJoules: Math.max(1, rateWatts * BUCKET_SECONDS) });
  const thermal = createThermalModel(board.thermal, AMBIENT_CELSIUS);
  const policy = agent.policyPath === undefined ? policyFromCertificate(model) : readPolicy(agent.policyPath, model.imageHash);
  return createAgentGovernor({
    image: model.image,
    device: createPoweredDevice({ energy, budget, battery, thermal, radio: createRadio(profile), ambientCelsius: () => AMBIENT_CELSIUS }),
    rateHz: sensor.rateHz,
    ...{ table: policy.table, prices: policy.prices, drift: createDriftMonitor(policy.drift) },
    privacy: createPrivacyBudget(PRIVACY_BYTES_PER_DAY),
    asks,
    ...{ reportSeconds: REPORT_SECONDS, carries: true, targetSeconds: TARGET_SECONDS },
    roundTripSeconds: () => profile.roundTripMillis.value / MILLIS,
  });
}
