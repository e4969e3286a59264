import { readFileSync } from "node:fs";
import type { Evidence, ModelImage } from "../core/image/image-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import { type EvidencePrior, readPrior } from "./prior.ts";

/** An image that can be adapted, and what a wearer's own evidence starts from. */
export interface Adaptable {
  readonly image: ModelImage & { readonly evidence: Evidence };
  readonly prior: EvidencePrior;
}

/** Opens the prior of an agent's image. Throws ADAPT_NO_PRIOR where there is none, and what readPrior throws. */
export function openAdaptable(agent: string, image: ModelImage, priorPath: string | undefined): Adaptable {
  const { evidence } = image;
  if (evidence === undefined || priorPath === undefined)
    throw new ConfigError(
      "ADAPT_NO_PRIOR",
      `agent ${agent} cannot adapt to a wearer: ${evidence ? "its agent.ts names no prior (evidence.safetensors, which train writes beside the model)" : "its model weighs no evidence"}. Leave --adapt or --wearer out.`,
    );
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(priorPath));
  } catch (cause) {
    throw new ConfigError("ADAPT_NO_PRIOR", `cannot read ${priorPath}: restore it beside the model of agent ${agent}.`, { cause });
  }
  return { image: { ...image, evidence }, prior: readPrior(bytes, evidence, priorPath) };
}
