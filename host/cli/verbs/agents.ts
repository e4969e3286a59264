import { existsSync } from "node:fs";
import type { Command } from "commander";
import { bundledAgents, loadAgent, loadTextAgent, readsText } from "../../agent/registry.ts";
import { Model } from "../../core/session/model.ts";
import { DormouseError } from "../../core/system/errors.ts";
import { createOutput } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { bytesText, table } from "../../core/system/table.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { jsonOption } from "../common/options.ts";

interface AgentRow {
  readonly name: string;
  readonly description: string;
  readonly labels: readonly string[];
  readonly parameters: number | null;
  readonly imageBytes: number | null;
  readonly arenaBytes: number | null;
  readonly teachers: number;
  readonly folder: string;
  readonly problem?: string;
}

/** `dormouse agents`: the agents at hand. */
export function registerAgents(program: Command, io: CliIo): void {
  program
    .command("agents")
    .description("List the bundled agents and their models.")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse agents")
    .action(async (options: { json: boolean }) => {
      const out = createOutput(io, options.json);
      const agents = await Promise.all(bundledAgents().map(describe));
      const rows = agents.map((agent) => [
        agent.name,
        agent.labels.length,
        agent.parameters ?? "–",
        agent.imageBytes === null ? "–" : bytesText(agent.imageBytes),
        agent.arenaBytes === null ? "–" : bytesText(agent.arenaBytes),
        agent.teachers,
        agent.problem ?? agent.description,
      ]);
      for (const line of table(["agent", "labels", "parameters", "image", "arena", "teachers", ""], rows)) out.say(line);
      out.document({ agents });
    });
}

async function describe(name: string): Promise<AgentRow> {
  const isText = await readsText(name);
  const agent = isText ? await loadTextAgent(name) : await loadAgent(name);
  const teachers = "teacherPaths" in agent ? agent.teacherPaths.length + (agent.confirmationPath === undefined ? 0 : 1) : 0;
  const base = { name, description: agent.definition.description, teachers, folder: agent.folder };
  const unknown = { labels: [], parameters: null, imageBytes: null, arenaBytes: null };
  if (!existsSync(agent.modelPath)) return { ...base, ...unknown, problem: `no model yet: dormouse train ${name}` };
  try {
    const model = await (isText ? IntentModel : Model).open(agent.modelPath);
    const { labels, parameters } = model.manifest;
    return { ...base, labels, parameters, imageBytes: model.imageBytes, arenaBytes: model.arenaBytes };
  } catch (error) {
    if (!(error instanceof DormouseError)) throw error;
    return { ...base, ...unknown, problem: error.message };
  }
}
