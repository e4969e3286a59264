import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../agent/registry.ts";
import type { Model } from "../core/session/model.ts";
import type { EngineName } from "../core/session/session-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import { openPackedAgent, PACKED_AGENT_FILE } from "./packed-agent.ts";

/** An agent, and its model in the core. */
export interface ShelvedAgent {
  readonly agent: LoadedAgent;
  readonly model: Model;
}

/** The agents of a gateway, each opened once however many devices it serves. */
export interface AgentShelf {
  /** By name, or by the path of an agent.ts. Throws as loadAgent does. */
  open(name: string): Promise<ShelvedAgent>;
  /** The agent whose model has this hash, among those that were opened and those that come with the package. */
  find(imageHash: string): Promise<ShelvedAgent | undefined>;
}

/** `agentsFolder`: agents of a package as data, or a clone's. */
export function createAgentShelf(agentsFolder: string, cwd: string, engine: EngineName): AgentShelf {
  const opened = new Map<string, Promise<ShelvedAgent>>();

  async function load(name: string): Promise<ShelvedAgent> {
    const folder = join(agentsFolder, name);
    const isPacked = /^[a-z][a-z0-9-]*$/.test(name) && existsSync(join(folder, PACKED_AGENT_FILE));
    const agent = isPacked ? openPackedAgent(folder) : await loadAgent(name, cwd);
    return { agent, model: await openAgentModel(agent, { engine }) };
  }

  const open = (name: string): Promise<ShelvedAgent> => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const loading = load(name);
    opened.set(name, loading);
    loading.catch(() => opened.delete(name)); // it may be mended meanwhile
    return loading;
  };

  return {
    open,
    async find(imageHash) {
      const names = existsSync(agentsFolder) ? readdirSync(agentsFolder).sort() : [];
      for (const name of new Set([...opened.keys(), ...names])) {
        try {
          const found = await open(name);
          if (found.model.imageHash === imageHash) return found;
        } catch (error) {
          if (!(error instanceof ConfigError) || opened.has(name)) continue; // no agent that reads a sensor
        }
      }
      return undefined;
    },
  };
}
