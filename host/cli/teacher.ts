import { existsSync } from "node:fs";
import type { LoadedAgent } from "../agent/registry.ts";
import type { Provider } from "../cloud/provider.ts";
import { createTeacher, type TeacherMember } from "../cloud/teacher.ts";
import { ConfigError } from "../core/errors.ts";
import { Model } from "../core/model.ts";
import type { EngineName } from "../core/session-types.ts";
import { exitTemperature } from "../policy/temperature.ts";

/** Opens the images of an agent's teacher as the cloud's provider. */
export async function openTeacher(agent: LoadedAgent, engine: EngineName = "simd"): Promise<Provider> {
  return teacherOf(agent, await openTeacherModels(agent, engine));
}

/** The images of an agent's teacher, in the order of its agent.ts. Throws AGENT_NO_TEACHER or TEACHER_MISSING. */
export function openTeacherModels(agent: LoadedAgent, engine: EngineName = "simd"): Promise<Model[]> {
  const { name } = agent.definition;
  if (agent.teacherPaths.length === 0) {
    throw new ConfigError(
      "AGENT_NO_TEACHER",
      `agent ${name} names no teacher, so nothing can answer its asks. List images as teacher in its agent.ts.`,
    );
  }
  const missing = agent.teacherPaths.find((path) => !existsSync(path));
  if (missing !== undefined) {
    throw new ConfigError(
      "TEACHER_MISSING",
      `the teacher image ${missing} of agent ${name} is missing. Restore it, or train it: dormouse train ${name}.`,
    );
  }
  return Promise.all(agent.teacherPaths.map((path) => Model.open(path, { engine })));
}

/** The cloud's provider over opened images. */
export function teacherOf(agent: LoadedAgent, models: readonly Model[]): Provider {
  return createTeacher({ name: `${agent.definition.name}-teacher`, members: models.map(memberOf) });
}

function memberOf(model: Model): TeacherMember {
  const { image, manifest } = model;
  return {
    name: manifest.name,
    labels: manifest.labels,
    patchBytes: image.channels * image.patchFrames,
    temperature: exitTemperature(image.exits.at(-1)!),
    open: () => model.createSession(),
  };
}
