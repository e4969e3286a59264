import { existsSync, readFileSync } from "node:fs";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import { openAgentModel } from "../agent/registry.ts";
import { quantiseFrame } from "../core/arithmetic/features.ts";
import { Model } from "../core/session/model.ts";
import type { EngineName } from "../core/session/session-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import { computeTemperature } from "../policy/certify/temperature.ts";
import type { Confirmation } from "./confirm/confirmation.ts";
import { readConfirmation } from "./confirm/confirmation-file.ts";
import { createConfirmer } from "./confirm/confirmer.ts";
import { type Continuation, residualRmsOf } from "./continuation.ts";
import type { TeacherMember } from "./ensemble.ts";
import type { Provider } from "./provider.ts";
import { syntheticContexts } from "./synthetic-contexts.ts";
import { createTeacher } from "./teacher.ts";

/** Wearers over whom the usual size of a residual is taken. */
const WEARERS = 8;

/** Whether an agent has what answers its asks: a model that confirms its suspicions, or an ensemble. */
export function hasTeacher({ confirmationPath, teacherPaths }: LoadedAgent): boolean {
  return confirmationPath !== undefined || teacherPaths.length > 0;
}

/**
 * The agent's own cloud: the model that confirms its suspicions, if it has one; else the images of its ensemble, and the agent's own for
 * asks that come with activations. Throws AGENT_NO_TEACHER or TEACHER_MISSING.
 */
export async function openTeacher(agent: LoadedAgent, engine: EngineName = "simd"): Promise<Provider> {
  if (agent.confirmationPath !== undefined) return createConfirmer(openConfirmation(agent, agent.confirmationPath));
  const own = await openAgentModel(agent, { engine });
  return teacherOf(agent, await openTeacherModels(agent, engine), continuationsOf(agent, own));
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

/** Reads the model that confirms an agent's suspicions. Throws TEACHER_MISSING or BAD_CONFIRMATION. */
export function openConfirmation({ definition }: LoadedAgent, path: string): Confirmation {
  if (!existsSync(path))
    throw new ConfigError(
      "TEACHER_MISSING",
      `the confirmation ${path} of agent ${definition.name} is missing. Restore it, or train it: dormouse train ${definition.name} --teacher confirmation.`,
    );
  return readConfirmation(readFileSync(path), path);
}

/** The cloud's provider over opened images. */
export function teacherOf(agent: LoadedAgent, models: readonly Model[], continuations?: ReadonlyMap<string, Continuation>): Provider {
  return createTeacher({
    name: `${agent.definition.name}-teacher`,
    members: models.map(memberOf),
    ...(continuations === undefined ? {} : { continuations }),
  });
}

/** Batches run in SIMD; with another engine asked for, each ask runs by itself in that. */
function memberOf(model: Model): TeacherMember {
  const { image, manifest } = model;
  const { channels, patchFrames, contextPatches, ringPatches, features } = image;
  return {
    name: manifest.name,
    labels: manifest.labels,
    patchBytes: channels * patchFrames,
    ringPatches,
    temperature: computeTemperature(image.exits.at(-1)!.temperature),
    open: () => model.createSession(),
    ...(model.engine === "simd" ? { batch: { maxPatches: contextPatches, open: () => model.createBatch() } } : {}),
    quantise(frames) {
      const patch = new Int8Array(channels * patchFrames);
      for (let at = 0; at < patch.length; at += channels) patch.set(quantiseFrame(frames.subarray(at, at + channels), features), at);
      return patch;
    },
  };
}

/** The agent's own image, for activations; an agent without a synthetic wearer cannot tell how large its residuals are. */
function continuationsOf(agent: LoadedAgent, model: Model): ReadonlyMap<string, Continuation> | undefined {
  if (agent.syntheticPath === undefined) return undefined;
  const session = model.createSession();
  const contexts = syntheticContexts(model, agent.syntheticPath, WEARERS);
  const continuation = {
    ...{ name: model.manifest.name, image: model.image, session },
    temperature: computeTemperature(model.image.exits.at(-1)!.temperature),
    residualRms: residualRmsOf(model.image, session, contexts),
  };
  return new Map([[model.imageHash, continuation]]);
}
