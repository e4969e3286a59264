import { FIXED_LAGS } from "../../../assembly/layout.ts";
import { crossCount, signalCount } from "../arithmetic/lda.ts";
import { type Block, findBlockKind } from "./blocks/block.ts";
import type { ModelImage } from "./image-types.ts";
import { linearOps, NO_OPS, type Ops, plus } from "./ops.ts";

/** The features and the embedding of one patch. */
export function embedOps(image: ModelImage): Ops {
  return plus(linearOps(image.embed), { ...NO_OPS, requantize: image.channels * image.patchFrames });
}

/** One block, one patch. */
export function blockOps(block: Block, dModel: number): Ops {
  return findBlockKind(block).ops(block, dModel);
}

/** One evaluation of an exit: its head and its confidence. */
export function exitOps(image: ModelImage, exit: number): Ops {
  const { nClasses, dModel } = image;
  return plus(linearOps(image.exits[exit]!.head), { ...NO_OPS, requantize: nClasses, lookup: nClasses, norm: dModel });
}

/** One run of the LDA head: sums, power and lags of every signal and its changes, pairs of channels, and the weights. Core: assembly/counts.ts. */
export function countLdaOps({ lda, channels, windowPatches, patchFrames, nClasses }: ModelImage): Ops {
  if (!lda) return NO_OPS;
  const statistics = lda.means.length;
  const weights = statistics * nClasses;
  const frames = windowPatches * patchFrames;
  const signals = 2 * signalCount(channels) + channels;
  return {
    ...NO_OPS,
    macs: weights + ((FIXED_LAGS + 2) * signals + crossCount(channels)) * frames,
    norm: 3 * signals * frames,
    requantize: statistics,
    weightBytes: 2 * weights,
  };
}

/** A window from a reset state that stops at `exit`, the heads up to it included. Core: assembly/counts.ts. */
export function windowOps(image: ModelImage, exit: number): Ops {
  const blocks = image.blocks.slice(0, image.exits[exit]!.afterBlock + 1);
  const patch = blocks.reduce((sum, block) => plus(sum, blockOps(block, image.dModel)), embedOps(image));
  const heads = Array.from({ length: exit + 1 }, (_, k) => exitOps(image, k)).reduce((a, b) => plus(a, b), NO_OPS);
  return plus(plus(heads, countLdaOps(image)), patch, image.windowPatches);
}

/** A context of `patches` from a reset state, decided once, at its end, by the last exit, as a member of a cloud's ensemble reads it. */
export function contextOps(image: ModelImage, patches: number): Ops {
  const patch = image.blocks.reduce((sum, block) => plus(sum, blockOps(block, image.dModel)), embedOps(image));
  return plus(plus(exitOps(image, image.exits.length - 1), countLdaOps(image)), patch, patches);
}
