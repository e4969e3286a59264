import type { Lda, ModelImage } from "../../../host/core/image/image-types.ts";
import type { Adaptable, LdaPrior } from "../../../host/personalize/prior.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { randomPatches, seeded } from "../../support/random.ts";

/** A prior of the lda's shape: a precision of blocks of two, centres anywhere. */
export function priorFor({ means, bias, limits }: Lda, seed: number): LdaPrior {
  const random = seeded(seed);
  const size = means.length;
  const precision = new Float64Array(size * size);
  for (let f = 0; f < size; f++) {
    precision[f * size + f] = 1 + random();
    const other = f ^ 1;
    if (other < size) precision[f * size + other] = 0.25;
  }
  return {
    deviations: Float64Array.from(limits, (limit) => Math.max(1, limit / 6)),
    centres: Float64Array.from({ length: bias.length * size }, () => random() - 0.5),
    precision,
    share: 0.25,
  };
}

/** An image of the activity agent's shape with something to adapt. */
export function adaptable(seed = 5): Adaptable {
  const image = activityShaped(seed) as ModelImage & { readonly lda: Lda };
  return { image, prior: priorFor(image.lda, seed) };
}

/** Windows (windowPatches, patchBytes) s8 that drift as sensors do. */
export function windowsFor({ windowPatches, channels, patchFrames }: ModelImage, count: number, seed = 1): Int8Array[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () =>
    Int8Array.from(randomPatches(random, channels * patchFrames, windowPatches).flatMap((patch) => [...patch])),
  );
}
