import type { Lda } from "../core/image/image-types.ts";
import { type Recording, scoredWindows } from "../data/recording.ts";
import { LOGIT_ONE } from "../policy/certify/replay.ts";
import type { FeatureConfig } from "./batches.ts";
import { computeLdaLogitsAt } from "./fit-lda.ts";
import { crossEntropy } from "./lda-share.ts";
import { createNetEvaluator } from "./net-evaluator.ts";
import type { TrainedNet } from "./train-net.ts";

/** 1, 0.71, 0.5, … 0.06. */
const SHARES = Array.from({ length: 9 }, (_, i) => 2 ** (-i / 2));
/** 4, 2.8, 2, … 0.25: of what both say together. */
const SHARPNESSES = Array.from({ length: 9 }, (_, i) => 2 ** (2 - i / 2));

/**
 * The net with heads that speak as loud beside the LDA head as helps on these wearers, one factor for all exits: that of the least
 * cross-entropy, whatever the sum's temperature. A net that was trained on few people is too sure of itself on others.
 */
export function weighNet(net: TrainedNet, lda: Lda, features: FeatureConfig, recordings: readonly Recording[]): TrainedNet {
  const { nClasses, exits } = net.config;
  const { labels, logits } = createNetEvaluator(net, features, true).windows(recordings);
  const last = logits.at(-1)!;
  const said = recordings.flatMap((recording) =>
    scoredWindows(recording)
      .filter(({ start }) => start >= 0)
      .map(({ start }) => computeLdaLogitsAt(lda, recording, start, features)),
  );
  const costOf = (share: number, sharpness: number): number =>
    said.reduce((sum, own, w) => {
      const both = Float64Array.from(own, (logit, c) => share * last[w * nClasses + c]! + logit / LOGIT_ONE);
      return sum + crossEntropy(both, labels[w]!, sharpness);
    }, 0);
  const costs = SHARES.map((share) => Math.min(...SHARPNESSES.map((sharpness) => costOf(share, sharpness))));
  const share = SHARES[costs.indexOf(Math.min(...costs))] ?? 1;
  const heads = exits.flatMap((_, k) => [`e${k}.w`, `e${k}.b`]);
  const scaled = Object.fromEntries(heads.map((name) => [name, net.parameters[name]!.map((value) => share * value)]));
  return { ...net, parameters: { ...net.parameters, ...scaled } };
}
