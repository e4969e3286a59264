import { join } from "node:path";
import type { AgentDefinition } from "./define-agent.ts";

/** An agent with its files found. */
export interface LoadedAgent {
  readonly definition: AgentDefinition;
  readonly folder: string;
  readonly modelPath: string;
  readonly priorPath: string | undefined;
  readonly teacherPaths: readonly string[];
  readonly confirmationPath: string | undefined;
  readonly syntheticPath: string | undefined;
  readonly policyPath: string | undefined;
  readonly isBundled: boolean;
}

/** An agent's folder: paths of the files that its definition names. */
export function createLoadedAgent(definition: AgentDefinition, folder: string, isBundled: boolean): LoadedAgent {
  const { model, prior, teacher, confirmation, synthetic, policy } = definition;
  return {
    definition,
    folder,
    modelPath: join(folder, model),
    priorPath: prior === undefined ? undefined : join(folder, prior),
    teacherPaths: teacher.map((path) => join(folder, path)),
    confirmationPath: confirmation === undefined ? undefined : join(folder, confirmation),
    syntheticPath: synthetic === undefined ? undefined : join(folder, synthetic),
    policyPath: policy === undefined ? undefined : join(folder, policy),
    isBundled,
  };
}
