import { kindOfConfig, type NetBlock } from "./blocks/block.ts";
import { CHUNK_PATCHES } from "./net-constants.ts";

export type { AttentionConfig, SsmConfig } from "./blocks/block.ts";

/** The shape of a net: what its parameters are called and how large they are follows from this. */
export interface NetConfig {
  readonly dModel: number;
  readonly channels: number;
  readonly patchFrames: number;
  readonly nClasses: number;
  readonly blocks: readonly NetBlock[];
  readonly exits: readonly number[]; // the block that each exit follows, ascending
}

/** Name → shape of every parameter. A matrix is (nIn, nOut): the transpose of what an image holds. */
export function parameterShapes(config: NetConfig): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  const add = (name: string, shape: readonly number[]): void => {
    shapes[name] = shape;
  };
  const linear = (name: string, nIn: number, nOut: number): void => {
    add(`${name}.w`, [nIn, nOut]);
    add(`${name}.b`, [nOut]);
  };
  const { dModel } = config;
  linear("embed", config.channels * config.patchFrames, dModel);
  config.blocks.forEach((block, i) => {
    kindOfConfig(block).parameters(block, dModel, {
      linear: (name, nIn, nOut) => linear(`b${i}.${name}`, nIn, nOut),
      array: (name, shape) => add(`b${i}.${name}`, shape),
    });
  });
  config.exits.forEach((_, k) => {
    linear(`e${k}`, dModel, config.nClasses);
  });
  return shapes;
}

/** Number of trained numbers. */
export function parameterCount(config: NetConfig): number {
  let count = 0;
  for (const shape of Object.values(parameterShapes(config))) count += shape.reduce((product, n) => product * n, 1);
  return count;
}

/** Names of the tensors that the core holds as int8 between two kernels (and y, int16): each gets one scale. */
export function activationNames(config: NetConfig): string[] {
  return config.blocks.flatMap((block, i) => kindOfConfig(block).activations.map((name) => `b${i}.${name}`));
}

/** How many patches back an attention of the net reads: the longest window, or a chunk if there is none. */
export function reachPatches(config: NetConfig): number {
  const windows = config.blocks.map((block) => kindOfConfig(block).reachPatches(block)).filter((reach) => reach !== undefined);
  return windows.length === 0 ? CHUNK_PATCHES : Math.max(...windows);
}
