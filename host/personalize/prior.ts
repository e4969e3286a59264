import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Lda, ModelImage } from "../core/image/image-types.ts";
import { readSafetensors, writeSafetensors } from "../core/image/safetensors.ts";
import { ConfigError, DataError } from "../core/system/errors.ts";

/** The discriminant that an image's LDA head was made of: what an adaptation starts from. Statistics are standardised. */
export interface LdaPrior {
  readonly deviations: Float64Array; // (statistics,) of which a standardised statistic counts one
  readonly centres: Float64Array; // (nClasses, statistics): where each class lies, over all wearers
  readonly precision: Float64Array; // (statistics, statistics): the inverse of the covariance within a class
  readonly share: number; // of the discriminant's log probabilities in a logit
}

const FORMAT = "dormouse-evidence-prior-1";

/** lda-prior.safetensors: a prior as F32, of the precision the lower half row by row, and the hash of the head that it belongs to. */
export function writePrior({ deviations, centres, precision, share }: LdaPrior, lda: Lda): Uint8Array {
  const size = deviations.length;
  const half = new Float32Array((size * (size + 1)) / 2);
  for (let f = 0, at = 0; f < size; f++) for (let g = 0; g <= f; g++, at++) half[at] = precision[f * size + g]!;
  return writeSafetensors({
    tensors: {
      deviations: { shape: [size], values: Float32Array.from(deviations) },
      centres: { shape: [centres.length / size, size], values: Float32Array.from(centres) },
      precision: { shape: [half.length], values: half },
    },
    metadata: { format: FORMAT, evidence: hashLda(lda), share: String(share) },
  });
}

/** Reads what writePrior wrote. Throws BAD_SAFETENSORS or BAD_PRIOR, and PRIOR_MISMATCH if it belongs to another head. */
export function readPrior(bytes: Uint8Array, lda: Lda, path: string): LdaPrior {
  const mend = "Write it again with `dormouse train`, or restore it beside its model.";
  const { tensors, metadata } = readSafetensors(bytes, path);
  const bad = (what: string): DataError => new DataError("BAD_PRIOR", `${path}: ${what}. ${mend}`);
  if (metadata.format !== FORMAT) throw bad(`metadata format is "${metadata.format}", "${FORMAT}" expected`);
  if (metadata.evidence !== hashLda(lda))
    throw new DataError("PRIOR_MISMATCH", `${path} belongs to another model image than this one. ${mend}`);
  const size = lda.means.length;
  const take = (name: string, values: number): Float32Array => {
    const tensor = tensors[name];
    if (tensor?.values.length !== values) throw bad(`tensor ${name} has ${tensor?.values.length ?? "no"} values, ${values} expected`);
    if (!tensor.values.every(Number.isFinite)) throw bad(`tensor ${name} holds what is no number`);
    return tensor.values;
  };
  const deviations = Float64Array.from(take("deviations", size));
  if (!deviations.every((value) => value > 0)) throw bad("a deviation is not above 0");
  const centres = Float64Array.from(take("centres", size * lda.bias.length));
  const half = take("precision", (size * (size + 1)) / 2);
  const share = Number(metadata.share);
  if (!(share > 0 && share <= 1)) throw bad(`share is "${metadata.share}", a number above 0 and at most 1 expected`);
  const precision = new Float64Array(size * size);
  for (let f = 0, at = 0; f < size; f++)
    for (let g = 0; g <= f; g++, at++) {
      precision[f * size + g] = half[at]!;
      precision[g * size + f] = half[at]!;
    }
  return { deviations, centres, precision, share };
}

/** Hex SHA-256 of an image's LDA head. */
export function hashLda({ means, limits, weights, bias, shift }: Lda): string {
  const hash = createHash("sha256");
  for (const values of [means, limits, weights, bias, [shift]]) hash.update(`${values.length}:${Array.from(values).join()};`);
  return hash.digest("hex");
}

/** An image with an LDA head, and its prior. */
export interface Adaptable {
  readonly image: ModelImage & { readonly lda: Lda };
  readonly prior: LdaPrior;
}

/** Opens the prior of an agent's image. Throws ADAPT_NO_PRIOR if there is none, and what readPrior throws. */
export function openAdaptable(agent: string, image: ModelImage, priorPath: string | undefined): Adaptable {
  const { lda } = image;
  if (lda === undefined || priorPath === undefined)
    throw new ConfigError(
      "ADAPT_NO_PRIOR",
      `agent ${agent} cannot adapt to a user: ${lda ? "its agent.ts names no prior (lda-prior.safetensors, which train writes beside the model)" : "its model has no LDA head"}. Leave --adapt or --personalize out.`,
    );
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(priorPath));
  } catch (cause) {
    throw new ConfigError("ADAPT_NO_PRIOR", `cannot read ${priorPath}: restore it beside the model of agent ${agent}.`, { cause });
  }
  return { image: { ...image, lda }, prior: readPrior(bytes, lda, priorPath) };
}
