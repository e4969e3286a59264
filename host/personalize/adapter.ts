import { livingStatistics } from "../core/arithmetic/lda.ts";
import type { Lda, ModelImage } from "../core/image/image-types.ts";
import { asLogits, fixedPoint } from "./logit-scale.ts";
import type { LdaPrior } from "./prior.ts";

/** The parts of an image that an adapter reads; it has an LDA head. */
export type AdaptableImage = Pick<ModelImage, "windowPatches" | "patchFrames" | "channels" | "features"> & { readonly lda: Lda };

/** What was learned about one user: integers, so that a file gives back the same bits. */
export interface Adaptation {
  readonly windows: Uint16Array; // (nClasses,) windows learned, at most MOST_WINDOWS each
  readonly sums: Float64Array; // (nClasses, statistics): statistics less their mean, limited as in the core, summed over those windows
}

/** Learns one user's class means. */
export interface Adapter {
  readonly adaptation: Adaptation;
  /** Learns a window (windowPatches, patchFrames · channels) s8 as one of class `label`. False if a sensor is dead: nothing is learned. */
  learn(window: Int8Array, label: number): boolean;
  /** The adapted LDA head; the image's own, bit for bit, until a window was learned. */
  lda(): Lda;
}

/** An adaptation without windows. */
export function emptyAdaptation({ bias, means }: Lda): Adaptation {
  return { windows: new Uint16Array(bias.length), sums: new Float64Array(bias.length * means.length) };
}

/** After so many windows of a class, its mean lies half-way between the mean over all training users and this user's. */
export const PRIOR_WINDOWS = 25;
/** Per class; beyond it, older windows weigh less with every new one, so that a moved sensor is learned anew. */
export const MOST_WINDOWS = 256;

/**
 * MAP adaptation of the LDA head's class means: each mean moves towards this user's windows of that class, by
 * windows ÷ (windows + PRIOR_WINDOWS) of the way. The covariance within a class, the net and the thresholds stay.
 * Source: Gauvain and Lee, IEEE Trans. Speech and Audio Processing 2(2), 1994, applied to a linear discriminant.
 */
export function createAdapter(image: AdaptableImage, prior: LdaPrior, from?: Adaptation): Adapter {
  const { lda: base } = image;
  const size = base.means.length;
  const knees = image.features.map(({ knee }) => knee);
  const adaptation: Adaptation = from ? { windows: from.windows.slice(), sums: from.sums.slice() } : emptyAdaptation(base);
  return {
    adaptation,
    learn(window, label) {
      const statistics = livingStatistics(window, knees);
      if (!statistics) return false;
      const isFull = adaptation.windows[label]! >= MOST_WINDOWS;
      for (let f = 0; f < size; f++) {
        const at = label * size + f;
        const limit = base.limits[f]!;
        const kept = isFull ? Math.round((adaptation.sums[at]! * (MOST_WINDOWS - 1)) / MOST_WINDOWS) : adaptation.sums[at]!;
        adaptation.sums[at] = kept + Math.max(-limit, Math.min(limit, statistics[f]! - base.means[f]!));
      }
      if (!isFull) adaptation.windows[label]!++;
      return true;
    },
    lda: () => (adaptation.windows.some((count) => count > 0) ? adaptedLda(base, prior, adaptation) : base),
  };
}

/** If the mean of class c moves by d_c and P is the precision: weights gain P·d_c, bias gains −d_c·P·(centre_c + d_c/2). */
function adaptedLda(base: Lda, { centres, precision, deviations, share }: LdaPrior, adaptation: Adaptation): Lda {
  const size = base.means.length;
  const nClasses = base.bias.length;
  const more = new Float64Array(nClasses * size);
  const moreBias = new Float64Array(nClasses);
  for (let c = 0; c < nClasses; c++) {
    const count = adaptation.windows[c]!;
    if (count === 0) continue;
    const moved = new Float64Array(size);
    for (let f = 0; f < size; f++) {
      const mean = adaptation.sums[c * size + f]! / count / deviations[f]!;
      moved[f] = ((mean - centres[c * size + f]!) * count) / (count + PRIOR_WINDOWS);
    }
    for (let f = 0; f < size; f++) {
      let weight = 0;
      for (let g = 0; g < size; g++) weight += precision[f * size + g]! * moved[g]!;
      more[c * size + f] = weight;
      moreBias[c]! -= weight * (centres[c * size + f]! + moved[f]! / 2);
    }
  }
  const one = 2 ** base.shift;
  const added = asLogits(more, moreBias, deviations, share);
  const own = {
    slopes: added.slopes.map((slope, i) => base.weights[i]! / one + slope),
    levels: added.levels.map((level, c) => base.bias[c]! / one + level),
  };
  return { means: base.means, limits: base.limits, ...fixedPoint(own, base.shift) };
}
