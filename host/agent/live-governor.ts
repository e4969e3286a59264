import type { Model } from "../core/session/model.ts";
import type { AgentGovernor } from "../policy/govern/governor-types.ts";
import { policyFromCertificate, readPolicy } from "../policy/govern/policy-file.ts";
import { type Board, loadRadio } from "../power/board.ts";
import type { RadioKind } from "../power/board-power.ts";
import { poweredBoard } from "../power/powered-board.ts";
import { governBoard } from "./board-governor.ts";
import type { LoadedAgent } from "./loaded-agent.ts";

/** The board whose power and thermal model a live run applies. */
export interface LiveBoard {
  readonly board: Board;
  readonly radio: RadioKind;
}

const TARGET_SECONDS = 7 * 86_400;
const AMBIENT_CELSIUS = 22;
const REPORT_SECONDS = 600;

/** A governor for a live run: as in a simulated day; board, radio and ambient temperature are modelled. Throws BOARD_NO_POWER. */
export function liveGovernor(agent: LoadedAgent, model: Model, { board, radio }: LiveBoard): AgentGovernor {
  const { governor } = governBoard(agent.definition, model, poweredBoard(board), {
    radio: loadRadio(board, radio),
    policy: agent.policyPath === undefined ? policyFromCertificate(model) : readPolicy(agent.policyPath, model.imageHash),
    ambientCelsius: () => AMBIENT_CELSIUS,
    stateOfCharge: 1,
    targetSeconds: TARGET_SECONDS,
    reportSeconds: REPORT_SECONDS,
  });
  return governor;
}
