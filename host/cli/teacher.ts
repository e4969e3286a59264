import { existsSync } from "node:fs";
import type { LoadedAgent } from "../agent/registry.ts";
import type { Provider } from "../cloud/provider.ts";
import { createTeacher } from "../cloud/teacher.ts";
import { ConfigError } from "../core/errors.ts";
import { Model } from "../core/model.ts";
import type { EngineName } from "../core/session-types.ts";

/** Opens the images of an agent's teacher as the cloud's provider. */
export async function openTeacher(agent: LoadedAgent, engine: EngineName = "simd"): Promise<Provider> {
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
  const models = await Promise.all(agent.teacherPaths.map((path) => Model.open(path, { engine })));
  return createTeacher({
    name: `${name}-teacher`,
    members: models.map((model) => ({
      name: model.manifest.name,
      labels: model.manifest.labels,
      patchBytes: model.image.channels * model.image.patchFrames,
      open: () => model.createSession(),
    })),
  });
}
