import type { Recording } from "../data/recording.ts";
import type { FeatureConfig } from "./batches.ts";
import { computeAccuracy, createNetEvaluator, type NetEvaluator } from "./net-evaluator.ts";
import type { TrainedNet } from "./train-net.ts";

/**
 * Accuracy at the last exit on the windows of held-out recordings, as often as one likes: the traced nets are kept, one in float and one
 * in int8, so only the first call of each compiles. It draws nothing from the training's random stream.
 */
export function createValidation(
  recordings: readonly Recording[],
  features: FeatureConfig,
): (net: TrainedNet, isQuantized: boolean) => number {
  const traced = new Map<boolean, { net: TrainedNet; evaluator: NetEvaluator }>();
  return (net, isQuantized) => {
    const known = traced.get(isQuantized);
    const held = known?.net ?? { ...net };
    Object.assign(held, net); // the evaluator reads the weights of this object at each call
    const evaluator = known?.evaluator ?? createNetEvaluator(held, features, isQuantized);
    traced.set(isQuantized, { net: held, evaluator });
    return computeAccuracy(evaluator.windows(recordings), net.config.exits.length - 1);
  };
}
