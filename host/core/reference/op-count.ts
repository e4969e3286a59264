import { FIXED_LAGS } from "../../../assembly/layout.ts";
import type { Block, LinearTensors, ModelImage } from "../image-types.ts";
import type { Session } from "../session-types.ts";
import { crossCount, signalCount } from "./evidence.ts";

export type Ops = ReturnType<Session["opCount"]>;

export const NO_OPS: Ops = { macs: 0, requantize: 0, state: 0, lookup: 0, norm: 0, weightBytes: 0 };

/** Operations of `a` and `times` those of `b`. */
export function plus(a: Ops, b: Ops, times = 1): Ops {
  return {
    macs: a.macs + b.macs * times,
    requantize: a.requantize + b.requantize * times,
    state: a.state + b.state * times,
    lookup: a.lookup + b.lookup * times,
    norm: a.norm + b.norm * times,
    weightBytes: a.weightBytes + b.weightBytes * times,
  };
}

function linearOps({ nIn, nOut }: LinearTensors): Ops {
  return { ...NO_OPS, macs: nIn * nOut, weightBytes: nIn * nOut, requantize: nOut };
}

/** The features and the embedding of one patch. */
export function embedOps(image: ModelImage): Ops {
  return plus(linearOps(image.embed), { ...NO_OPS, requantize: image.channels * image.patchFrames });
}

/** One block, one patch; an attention always at its full window. */
export function blockOps(block: Block, dModel: number): Ops {
  if (block.kind === "ssm") {
    const { dInner, dState, dConv, nHeads } = block;
    const state = dInner * dState;
    const taps = dConv * dInner;
    const own: Ops = {
      macs: taps + 2 * state,
      requantize: 2 * dInner, // conv and y
      state,
      lookup: 2 * dInner + 2 * nHeads, // SiLU of x and z; softplus and exp2
      norm: dModel + dInner,
      weightBytes: taps,
    };
    return [block.inProj, block.outProj].map(linearOps).reduce((a, b) => plus(a, b), own);
  }
  const { nHeads, headDim, windowPatches, dMlp } = block;
  const own: Ops = {
    macs: 2 * nHeads * headDim * windowPatches,
    requantize: nHeads * windowPatches + nHeads * headDim + dMlp, // scores, outputs, gated products
    state: 0,
    lookup: nHeads * windowPatches + dMlp,
    norm: 2 * dModel,
    weightBytes: 0,
  };
  return [block.qkv, block.oProj, block.gateUp, block.down].map(linearOps).reduce((a, b) => plus(a, b), own);
}

/** One evaluation of an exit: its head and its confidence. */
export function exitOps(image: ModelImage, exit: number): Ops {
  const { nClasses, dModel } = image;
  return plus(linearOps(image.exits[exit]!.head), { ...NO_OPS, requantize: nClasses, lookup: nClasses, norm: dModel });
}

/** One weighing of evidence: sums, power and lags of every signal and its changes, pairs of channels, and the weights. Core: assembly/counts.ts. */
export function evidenceOps({ evidence, channels, windowPatches, patchFrames, nClasses }: ModelImage): Ops {
  if (!evidence) return NO_OPS;
  const statistics = evidence.means.length;
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
  return plus(plus(heads, evidenceOps(image)), patch, image.windowPatches);
}

/** A context of `patches` from a reset state, decided once, at its end, by the last exit, as a member of a cloud's ensemble reads it. */
export function contextOps(image: ModelImage, patches: number): Ops {
  const patch = image.blocks.reduce((sum, block) => plus(sum, blockOps(block, image.dModel)), embedOps(image));
  return plus(plus(exitOps(image, image.exits.length - 1), evidenceOps(image)), patch, patches);
}
