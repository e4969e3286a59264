import type { ModelImage } from "../../core/image/image-types.ts";
import { blockOps, countLdaOps, embedOps, exitOps } from "../../core/image/op-count.ts";
import { decisionRule, type HopLogits, Replay } from "./replay.ts";

/** What exits did for one wearer. */
export interface ExitRun {
  readonly decisions: number; // labelled
  readonly right: number; // of those
  readonly hops: number; // labelled or not
  readonly macs: number; // of all hops
}

/** Multiply-accumulates that a stream is priced with. */
interface ExitCosts {
  readonly segmentMacs: readonly number[]; // a patch through the blocks of each exit's segment; the embedding is in the first
  readonly headMacs: number; // one exit's
  readonly ldaMacs: number; // a decision's, from a whole window on
  readonly windowPatches: number;
  readonly hopPatches: number;
  readonly ringPatches: number;
}

function exitCosts(image: ModelImage): ExitCosts {
  const { blocks, exits, dModel, hopPatches, ringPatches, windowPatches } = image;
  const segmentMacs = exits.map(({ afterBlock }, k) =>
    blocks
      .slice(k === 0 ? 0 : exits[k - 1]!.afterBlock + 1, afterBlock + 1)
      .reduce((sum, block) => sum + blockOps(block, dModel).macs, k === 0 ? embedOps(image).macs : 0),
  );
  return { segmentMacs, headMacs: exitOps(image, 0).macs, ldaMacs: countLdaOps(image).macs, hopPatches, ringPatches, windowPatches };
}

/**
 * What thresholds (Q15, one an exit; the last exit always answers) would do to recordings that were scored once at full depth. The
 * rings' catch-up is counted as the core runs it, a rebuild at its full ring; that a rebuilt segment may then say something else is
 * not seen here, so a choice made by this is to be confirmed by the core.
 */
export function exitSimulator(
  image: ModelImage,
): (recordings: readonly (readonly HopLogits[])[], thresholdsQ15: readonly number[]) => ExitRun {
  const costs = exitCosts(image);
  const replay = new Replay(decisionRule(image));
  return (recordings, thresholdsQ15) => simulate(recordings, thresholdsQ15, costs, replay);
}

function simulate(
  recordings: readonly (readonly HopLogits[])[],
  thresholdsQ15: readonly number[],
  { segmentMacs, headMacs, ldaMacs, hopPatches, ringPatches, windowPatches }: ExitCosts,
  replay: Replay,
): ExitRun {
  const last = segmentMacs.length - 1;
  const pending = new Array<number>(last).fill(0); // patches that wait at each exit's ring; ringPatches + 1 = overflowed
  const push = (ring: number, patches: number): void => {
    if (ring < last) pending[ring] = Math.min(pending[ring]! + patches, ringPatches + 1);
  };
  let decisions = 0;
  let right = 0;
  let hops = 0;
  let macs = 0;
  for (const recording of recordings) {
    pending.fill(0);
    replay.reset();
    for (const [i, { truth, logits }] of recording.entries()) {
      hops++;
      macs += hopPatches * segmentMacs[0]! + headMacs + ((i + 1) * hopPatches >= windowPatches ? ldaMacs : 0);
      push(0, hopPatches);
      const { exit, label } = replay.decide(logits, thresholdsQ15);
      for (let k = 0; k < exit; k++) {
        if (pending[k]! > ringPatches) pending.fill(0, k + 1);
        const patches = Math.min(pending[k]!, ringPatches);
        pending[k] = 0;
        push(k + 1, patches);
        macs += patches * segmentMacs[k + 1]! + headMacs;
      }
      if (truth < 0) continue;
      decisions++;
      if (label === truth) right++;
    }
  }
  return { decisions, right, hops, macs };
}
