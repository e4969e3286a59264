import type { Lda } from "../core/image/image-types.ts";
import { type Recording, scoredWindows } from "../data/recording.ts";
import { LOGIT_ONE } from "../policy/certify/replay.ts";
import type { FeatureConfig } from "./batches.ts";
import { computeLdaLogitsAt } from "./fit-lda.ts";
import { crossEntropy } from "./lda-share.ts";
import { createNetEvaluator } from "./net-evaluator.ts";
import type { TrainedNet } from "./train-net.ts";

/** 1, 0.71, 0.5, … 0.03. */
const SHARES = Array.from({ length: 11 }, (_, i) => 2 ** (-i / 2));
/** 4, 2.8, 2, … 0.25: of what both say together. */
const SHARPNESSES = Array.from({ length: 9 }, (_, i) => 2 ** (2 - i / 2));

/**
 * The net with heads that speak as loud beside the LDA head as these wearers need, one factor for all exits: the quietest whose
 * cross-entropy, at the sum's best temperature, is within a standard error of the least (the one-standard-error rule of Breiman et al.
 * 1984). A net that was trained on few people is too sure of itself on others; statistics of windows differ less between them.
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
  const costsOf = (share: number, sharpness: number): number[] =>
    said.map((own, w) => {
      const both = Float64Array.from(own, (logit, c) => share * last[w * nClasses + c]! + logit / LOGIT_ONE);
      return crossEntropy(both, labels[w]!, sharpness);
    });
  const candidates = SHARES.map((share) => {
    const each = SHARPNESSES.map((sharpness) => costsOf(share, sharpness));
    return { share, costs: each.reduce((best, costs) => (mean(costs) < mean(best) ? costs : best)) };
  });
  const best = candidates.reduce((least, one) => (mean(one.costs) < mean(least.costs) ? one : least));
  const share = candidates.findLast(({ costs }) => isWithinError(costs, best.costs))?.share ?? 1;
  const heads = exits.flatMap((_, k) => [`e${k}.w`, `e${k}.b`]);
  const scaled = Object.fromEntries(heads.map((name) => [name, net.parameters[name]!.map((value) => share * value)]));
  return { ...net, parameters: { ...net.parameters, ...scaled } };
}

/** Whether paired costs are larger by no more than a standard error of their differences. */
function isWithinError(costs: readonly number[], least: readonly number[]): boolean {
  const differences = costs.map((cost, w) => cost - least[w]!);
  const middle = mean(differences);
  const variance = mean(differences.map((difference) => (difference - middle) ** 2));
  return middle <= Math.sqrt(variance / differences.length);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
