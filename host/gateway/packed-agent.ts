import { readFileSync } from "node:fs";
import { join } from "node:path";
import { agentSchema } from "../agent/define-agent.ts";
import { createLoadedAgent, type LoadedAgent } from "../agent/loaded-agent.ts";
import { checked } from "../core/system/checked.ts";
import { ConfigError } from "../core/system/errors.ts";

/** The file that holds a packed agent's definition: agent.ts as data, so that a gateway needs no compiler. */
export const PACKED_AGENT_FILE = "agent.json";

/** Opens an agent that a gateway image carries. */
export function openPackedAgent(folder: string): LoadedAgent {
  const path = join(folder, PACKED_AGENT_FILE);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError("AGENT_UNREADABLE", `cannot read the packed agent ${path}: ${String(cause)}. Install the package again.`, {
      cause,
    });
  }
  const definition = checked(agentSchema(), value, "AGENT_INVALID", path, "Install the package again.");
  return createLoadedAgent(definition, folder, false);
}
