import { existsSync, readFileSync } from "node:fs";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import type { Lda } from "../core/image/image-types.ts";
import { ModelError } from "../core/system/errors.ts";
import type { Output } from "../core/system/output.ts";
import {
  countScoredWindows,
  countWindowFrames,
  type Dataset,
  scoredClassCount,
  scoredWindows,
  selectRecordings,
} from "../data/recording.ts";
import type { EvaluateOptions } from "../eval/evaluate.ts";
import { createTally, type Evaluation } from "../eval/score.ts";
import { addLdaToExits, computeLdaLogitsAt } from "./fit-lda.ts";
import { type FloatModel, floatLogits, floatPatches, readFloatModel } from "./float-forward.ts";

/** What the floating-point run gives: no state, and no decisions that have to be the same on other engines. */
export type FloatEvaluation = Omit<Evaluation, "sha256" | "decisionsSha256">;

/**
 * The window protocol in floating point, weights and activations unrounded; the LDA head, always integers, is the image's. About 5 ms a window.
 */
export function evaluateFloat(model: FloatModel, lda: Lda | undefined, dataset: Dataset, options: EvaluateOptions): FloatEvaluation {
  const recordings = selectRecordings(dataset, options.users);
  const tally = createTally(model.config.exits.length, model.config.nClasses, scoredClassCount(recordings, model.config.nClasses));
  const total = countScoredWindows(recordings);
  for (const recording of recordings)
    for (const { start, label } of scoredWindows(recording)) {
      const logits = floatLogits(
        model.parameters,
        model.config,
        floatPatches(recording.frames, start, countWindowFrames(recording), model.features),
      );
      if (lda) addLdaToExits(logits, 0, computeLdaLogitsAt(lda, recording, start, model.features));
      tally.add(logits, label - 1);
      options.onWindow?.(tally.count(), total);
    }
  return { protocol: "window", windows: tally.count(), exits: tally.exits(() => 0) };
}

/** The same trained weights in float32, where the agent ships them. Throws FLOAT_UNREADABLE. */
export function openFloatModel(agent: LoadedAgent, out: Output): FloatModel | undefined {
  const path = agent.modelPath.replace(/\.dmm$/, ".safetensors");
  if (!existsSync(path)) {
    out.note(`No ${path}: the floating-point run is left out.`);
    return undefined;
  }
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new ModelError("FLOAT_UNREADABLE", `cannot read ${path}: check its permissions, or leave it out with --no-float.`, { cause });
  }
  return readFloatModel(bytes, path);
}
