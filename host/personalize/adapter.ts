import { livingStatistics } from "../core/arithmetic/lda.ts";
import type { Lda, ModelImage } from "../core/image/image-types.ts";
import { asLogits, fixedPoint } from "./logit-scale.ts";
import type { LdaPrior } from "./prior.ts";

/** The parts of an image that an adapter reads; it has evidence. */
export type AdaptableImage = Pick<ModelImage, "windowPatches" | "patchFrames" | "channels" | "features"> & { readonly lda: Lda };

export interface AdapterOptions {
  /** A class of which so many windows were learned lies half-way between where it lay over all wearers and where this one's lie. Default 25. */
  readonly priorWindows?: number;
}

/** What a wearer has taught: integers, so that it comes back from a file as it was. */
export interface Taught {
  readonly windows: Uint16Array; // (nClasses,) that count, at most MOST_WINDOWS each
  readonly sums: Float64Array; // (nClasses, statistics): whole statistics less their mean, limited as the core limits them, summed over those windows
}

/** A wearer's own evidence. */
export interface Adapter {
  readonly taught: Taught;
  /** Takes a window (windowPatches, patchFrames · channels) s8 for one of class `label`. False where a dead sensor leaves it nothing to learn. */
  learn(window: Int8Array, label: number): boolean;
  /** The image's evidence about this wearer; the image's own, to the bit, until something was learned. */
  lda(): Lda;
}

/** Nothing yet. */
export function emptyTaught({ bias, means }: Lda): Taught {
  return { windows: new Uint16Array(bias.length), sums: new Float64Array(bias.length * means.length) };
}

/** Of each class: beyond it, older windows weigh less with every new one, so that a sensor that moved is learned anew. */
export const MOST_WINDOWS = 256;

/**
 * Moves where each class lies, in the statistics that evidence weighs, from where it lay over all wearers towards where this wearer's
 * windows of it lie: to the mean of `windows` of them and of `priorWindows` at the old place. Spread within a class stays, so that a step
 * counts by how far wearers' windows stray that way. The core, its nets and its thresholds stay as they are.
 * Source: MAP adaptation of means (Gauvain and Lee, IEEE Trans. Speech and Audio Processing 2(2), 1994), here of a linear discriminant's.
 */
export function createAdapter(image: AdaptableImage, prior: LdaPrior, options: AdapterOptions = {}, from?: Taught): Adapter {
  const { priorWindows = 25 } = options;
  const { lda: base } = image;
  const size = base.means.length;
  const knees = image.features.map(({ knee }) => knee);
  const taught: Taught = from ? { windows: from.windows.slice(), sums: from.sums.slice() } : emptyTaught(base);
  return {
    taught,
    learn(window, label) {
      const statistics = livingStatistics(window, knees);
      if (!statistics) return false;
      const isFull = taught.windows[label]! >= MOST_WINDOWS;
      for (let f = 0; f < size; f++) {
        const at = label * size + f;
        const limit = base.limits[f]!;
        const kept = isFull ? Math.round((taught.sums[at]! * (MOST_WINDOWS - 1)) / MOST_WINDOWS) : taught.sums[at]!;
        taught.sums[at] = kept + Math.max(-limit, Math.min(limit, statistics[f]! - base.means[f]!));
      }
      if (!isFull) taught.windows[label]!++;
      return true;
    },
    lda: () => (taught.windows.some((count) => count > 0) ? ownLda(base, prior, taught, priorWindows) : base),
  };
}

/** With d_c how far class c has moved and P the precision: weights P·d_c more, bias −d_c·P·(centre_c + d_c/2) more. */
function ownLda(base: Lda, { centres, precision, deviations, share }: LdaPrior, taught: Taught, priorWindows: number): Lda {
  const size = base.means.length;
  const nClasses = base.bias.length;
  const more = new Float64Array(nClasses * size);
  const moreBias = new Float64Array(nClasses);
  for (let c = 0; c < nClasses; c++) {
    const count = taught.windows[c]!;
    if (count === 0) continue;
    const moved = new Float64Array(size);
    for (let f = 0; f < size; f++) {
      const mean = taught.sums[c * size + f]! / count / deviations[f]!;
      moved[f] = ((mean - centres[c * size + f]!) * count) / (count + priorWindows);
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
