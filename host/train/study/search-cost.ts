import { windowOps } from "../../core/image/op-count.ts";
import { Model } from "../../core/session/model.ts";
import { createRandom } from "../../core/system/random.ts";
import { activationNames, parameterCount } from "../net-config.ts";
import { initialParameters } from "../parameters.ts";
import type { AgentTraining } from "../training.ts";
import { studyImage } from "./short-training.ts";

/**
 * Instructions of a Cortex-M4 an operation, as translated to C and compiled: 2.8 a multiply-accumulate, 31 a requantised value and 23 a
 * scan state, two multiply-accumulates of it counted as such (instruction counts under emulation); look-ups and normed values are estimates.
 */
const instructions = { macs: 2.8, requantize: 31, state: 17, lookup: 6, norm: 6 } as const;

/** What a shape costs on a device: no training is needed to know. */
export interface ShapeCost {
  readonly macs: number; // a window at the last exit
  readonly instructions: number; // the same, estimated
  readonly arenaBytes: number; // as the core's prepare reports
  readonly imageBytes: number;
  readonly parameters: number;
}

/** Costs of a training's net, from an image with random weights that the core has prepared. */
export function computeShapeCost(training: AgentTraining): ShapeCost {
  const { config } = training;
  const scales = Object.fromEntries(activationNames(config).map((name) => [name, name.endsWith(".y") ? 1e-3 : 0.05]));
  const net = { config, parameters: initialParameters(config, createRandom(1)), scales, residualMax: 8 };
  const model = Model.load(studyImage(training, net));
  const ops = windowOps(model.image, config.exits.length - 1);
  const kinds = Object.keys(instructions) as (keyof typeof instructions)[];
  return {
    macs: ops.macs,
    instructions: Math.round(kinds.reduce((sum, kind) => sum + instructions[kind] * ops[kind], 0)),
    arenaBytes: model.arenaBytes,
    imageBytes: model.imageBytes,
    parameters: parameterCount(config),
  };
}
