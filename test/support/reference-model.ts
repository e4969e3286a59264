import { Model } from "../../host/core/session/model.ts";
import type { EngineName } from "../../host/core/session/session-types.ts";
import { createReferenceSession } from "../reference/session.ts";

/** A model whose sessions are the oracle's: what the engines are compared with. Throws ModelError as Model.load does. */
export function referenceModel(image: Uint8Array): Model {
  return Object.assign(Model.load(image), { createSession: () => createReferenceSession(image) });
}

/** A model on an engine, or on the oracle. */
export function modelOn(engine: EngineName | "reference", image: Uint8Array): Model {
  return engine === "reference" ? referenceModel(image) : Model.load(image, { engine });
}
