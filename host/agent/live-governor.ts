import type { Model } from "../core/session/model.ts";
import type { AgentGovernor } from "../policy/govern/governor-types.ts";
import { askWhenUnsure, policyFromCertificate, readPolicy } from "../policy/govern/policy-file.ts";
import { type Board, loadRadio } from "../power/board.ts";
import type { RadioKind } from "../power/board-power.ts";
import { poweredBoard } from "../power/powered-board.ts";
import { governBoard } from "./board-governor.ts";
import type { LoadedAgent } from "./loaded-agent.ts";

/** The board whose power and thermal model a live run applies. */
export interface LiveBoard {
  readonly board: Board;
  readonly radio: RadioKind;
  /** Asks about every unsure decision, even if asking was measured not to help. Default false. */
  readonly isAskingAlways?: boolean;
}

const TARGET_SECONDS = 7 * 86_400;
const AMBIENT_CELSIUS = 22;

/** A governor for a live run: as in a simulated day; board, radio and ambient temperature are modelled. Throws BOARD_NO_POWER. */
export function liveGovernor(agent: LoadedAgent, model: Model, { board, radio, isAskingAlways = false }: LiveBoard): AgentGovernor {
  const powered = poweredBoard(board);
  const policy = agent.policyPath === undefined ? policyFromCertificate(model) : readPolicy(agent.policyPath, model.imageHash);
  const { governor } = governBoard(agent.definition, model, powered, {
    radio: loadRadio(board, radio),
    policy: isAskingAlways ? askWhenUnsure(policy) : policy,
    ambientCelsius: () => AMBIENT_CELSIUS,
    stateOfCharge: 1,
    targetSeconds: TARGET_SECONDS,
    reportSeconds: agent.definition.events.reportSeconds,
  });
  return governor;
}
