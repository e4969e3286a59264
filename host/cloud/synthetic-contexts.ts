import { readSyntheticParameters } from "../agent/sensors/synthetic-sensor.ts";
import type { Model } from "../core/session/model.ts";
import { createSyntheticWearer } from "../data/synthetic.ts";

/** Contexts as asks carry them, (contextPatches, patchBytes) s8: one of each of `count` synthetic wearers, after so many seconds. */
export function syntheticContexts(model: Model, parametersPath: string, count: number): Int8Array[] {
  const parameters = readSyntheticParameters(parametersPath);
  const { contextPatches, patchFrames } = model.image;
  const session = model.createSession();
  return Array.from({ length: count }, (_, seed) => {
    const wearer = createSyntheticWearer({ parameters, seed });
    session.reset();
    const frames = contextPatches * patchFrames * (1 + (seed % 3));
    for (let tick = 0; tick < frames; tick++) session.pushFrame(wearer.next().frame, tick);
    return session.context();
  });
}
