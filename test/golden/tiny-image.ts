import type { ModelImage } from "../../host/core/image/image-types.ts";
import { randomImage } from "./random-image.ts";

/** The image of tiny.dmm: one ssm and one attention block, an exit after each. The seed gives exits at both, asks and every label but one. */
export function tinyImage(): ModelImage {
  return randomImage(2057, {
    pattern: "SA",
    exitsAfter: [0, 1],
    dModel: 16,
    channels: 3,
    patchFrames: 4,
    nClasses: 5,
    windowPatches: 8,
    hopPatches: 4,
    contextPatches: 12,
    ringPatches: 6,
    gapLimitFrames: 6,
    smoothing: true,
    lda: true,
    ssm: { nHeads: 2, headDim: 16, dState: 6, dConv: 4 },
    attention: { nHeads: 2, nKvHeads: 1, headDim: 8, windowPatches: 5, dMlp: 24 },
  });
}
