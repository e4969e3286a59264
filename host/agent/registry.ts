import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Model, type ModelOptions } from "../core/session/model.ts";
import { checked } from "../core/system/checked.ts";
import { ConfigError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import { importAgentFile } from "./compile-agent.ts";
import { agentSchema } from "./define-agent.ts";
import { type TextAgentDefinition, textAgentSchema } from "./define-text-agent.ts";
import { createLoadedAgent, type LoadedAgent } from "./loaded-agent.ts";

/** Names of the agents that come with the package, in order. */
export function bundledAgents(root = packageRoot()): string[] {
  const folder = join(root, "agents");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "agent.ts")))
    .sort();
}

/** An agent that reads texts, its files found. */
export interface LoadedTextAgent {
  readonly definition: TextAgentDefinition;
  readonly folder: string;
  readonly modelPath: string;
  readonly isBundled: boolean;
}

/**
 * Finds an agent that reads a sensor, by its bundled name, or by the path of its agent.ts or folder (relative to `cwd`), and checks it.
 * Throws ConfigError; AGENT_READS_TEXT for one that reads texts.
 */
export async function loadAgent(nameOrPath: string, cwd = process.cwd()): Promise<LoadedAgent> {
  const found = await findAgent(nameOrPath, cwd);
  if (found.readsText)
    throw new ConfigError(
      "AGENT_READS_TEXT",
      `agent ${nameOrPath} reads texts, no sensor frames: this needs an agent with a sensor, such as activity. Ask it with dormouse run ${nameOrPath} --text "…", score it with dormouse eval, measure it on a board with dormouse emulate.`,
    );
  const definition = checked(
    agentSchema(),
    found.exported,
    "AGENT_INVALID",
    `${found.file} does not export a valid agent`,
    "Write: export default defineAgent({ … }).",
  );
  return createLoadedAgent(definition, dirname(found.file), found.isBundled);
}

/** Finds an agent that reads texts. Throws ConfigError; AGENT_READS_SENSOR for one that reads a sensor. */
export async function loadTextAgent(nameOrPath: string, cwd = process.cwd()): Promise<LoadedTextAgent> {
  const found = await findAgent(nameOrPath, cwd);
  if (!found.readsText)
    throw new ConfigError(
      "AGENT_READS_SENSOR",
      `agent ${nameOrPath} reads sensor frames, no texts: this needs an agent with a text model, such as assistant.`,
    );
  const definition = checked(
    textAgentSchema(),
    found.exported,
    "AGENT_INVALID",
    `${found.file} does not export a valid agent`,
    "Write: export default defineTextAgent({ … }).",
  );
  const folder = dirname(found.file);
  return { definition, folder, modelPath: join(folder, definition.model), isBundled: found.isBundled };
}

/** Whether an agent reads texts. Throws ConfigError for no agent at all. */
export async function readsText(nameOrPath: string, cwd = process.cwd()): Promise<boolean> {
  return (await findAgent(nameOrPath, cwd)).readsText;
}

interface FoundAgent {
  readonly file: string;
  readonly exported: unknown;
  readonly isBundled: boolean;
  readonly readsText: boolean;
}

async function findAgent(nameOrPath: string, cwd: string): Promise<FoundAgent> {
  const bundled = bundledAgents();
  const isBundled = bundled.includes(nameOrPath);
  const file = isBundled ? join(packageRoot(), "agents", nameOrPath, "agent.ts") : agentFile(nameOrPath, cwd, bundled);
  const exported = await importAgentFile(file);
  return { file, exported, isBundled, readsText: typeof exported === "object" && exported !== null && "text" in exported };
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
