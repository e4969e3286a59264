import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Model, type ModelOptions } from "../core/session/model.ts";
import { checked } from "../core/system/checked.ts";
import { ConfigError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import { importAgentFile } from "./compile-agent.ts";
import { agentSchema } from "./define-agent.ts";
import { createLoadedAgent, type LoadedAgent } from "./loaded-agent.ts";

/** Names of the agents that come with the package, in order. */
export function bundledAgents(root = packageRoot()): string[] {
  const folder = join(root, "agents");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "agent.ts")))
    .sort();
}

/** Finds an agent by its bundled name, or by the path of its agent.ts or folder (relative to `cwd`), and checks it. */
export async function loadAgent(nameOrPath: string, cwd = process.cwd()): Promise<LoadedAgent> {
  const bundled = bundledAgents();
  const isBundled = bundled.includes(nameOrPath);
  const file = isBundled ? join(packageRoot(), "agents", nameOrPath, "agent.ts") : agentFile(nameOrPath, cwd, bundled);
  const definition = checked(
    agentSchema,
    await importAgentFile(file),
    "AGENT_INVALID",
    `${file} does not export a valid agent`,
    "Write: export default defineAgent({ … }).",
  );
  return createLoadedAgent(definition, dirname(file), isBundled);
}

/** Opens the agent's model and checks that it fits the declared sensor. */
export async function openAgentModel(agent: LoadedAgent, options: ModelOptions = {}): Promise<Model> {
  const model = await Model.open(agent.modelPath, options);
  const { sensor, name } = agent.definition;
  const { channels, frameRateMillihertz } = model.image;
  if (channels !== sensor.channels || frameRateMillihertz !== Math.round(sensor.rateHz * 1000)) {
    throw new ConfigError(
      "AGENT_SENSOR_MISMATCH",
      `agent ${name} declares ${sensor.channels} channels at ${sensor.rateHz} Hz, its model takes ${channels} at ${frameRateMillihertz / 1000} Hz. Mend sensor in ${join(agent.folder, "agent.ts")}, or train the model for it.`,
    );
  }
  return model;
}

function agentFile(path: string, cwd: string, bundled: readonly string[]): string {
  const full = resolve(cwd, path);
  const file = existsSync(full) && statSync(full).isDirectory() ? join(full, "agent.ts") : full;
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  throw new ConfigError(
    "AGENT_UNKNOWN",
    `no agent "${path}": it is neither bundled (${bundled.join(", ") || "none"}) nor a file at ${file}. Run dormouse agents, or give the path of an agent.ts.`,
  );
}
