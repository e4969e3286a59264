import { readFileSync } from "node:fs";
import type { Lda, ModelImage } from "../core/image/image-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import { type LdaPrior, readPrior } from "./prior.ts";

/** An image that can be adapted, and what a wearer's own evidence starts from. */
export interface Adaptable {
  readonly image: ModelImage & { readonly lda: Lda };
  readonly prior: LdaPrior;
}

/** Opens the prior of an agent's image. Throws ADAPT_NO_PRIOR where there is none, and what readPrior throws. */
export function openAdaptable(agent: string, image: ModelImage, priorPath: string | undefined): Adaptable {
  const { lda } = image;
  if (lda === undefined || priorPath === undefined)
    throw new ConfigError(
      "ADAPT_NO_PRIOR",
      `agent ${agent} cannot adapt to a wearer: ${lda ? "its agent.ts names no prior (lda-prior.safetensors, which train writes beside the model)" : "its model weighs no evidence"}. Leave --adapt or --wearer out.`,
    );
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(priorPath));
  } catch (cause) {
    throw new ConfigError("ADAPT_NO_PRIOR", `cannot read ${priorPath}: restore it beside the model of agent ${agent}.`, { cause });
  }
  return { image: { ...image, lda }, prior: readPrior(bytes, lda, priorPath) };
}
