import { ConfigError } from "../../core/system/errors.ts";
import type { Random } from "../../core/system/random.ts";
import { WINDOW_FRAMES } from "../../data/recording.ts";
import type { AttentionConfig, NetConfig, SsmConfig } from "../net-config.ts";
import type { AgentTraining } from "../training.ts";

/** What a search chooses. */
export interface Shape {
  readonly dModel: number;
  readonly pattern: string; // S = ssm block, A = attention block, in order; an exit follows each
  readonly dState: number;
  readonly patchFrames: number;
  readonly expand: number; // dInner / dModel
}

/**
 * Values of each choice, in the order in which a mutation goes to a neighbour. Patches of 2 frames are left out: the longest recordings
 * would pass the evaluator's longest sequence.
 */
const choices: Readonly<Record<keyof Shape, readonly (number | string)[]>> = {
  dModel: [16, 24, 32, 40],
  pattern: ["S", "SS", "SA", "SAS", "SSA", "SSS", "SSAS", "SSSA"],
  dState: [4, 8, 16],
  patchFrames: [4, 8],
  expand: [1, 2],
};
const genes = Object.keys(choices) as (keyof Shape)[];

const nHeads = 4;
const nKvHeads = 2;
const dConv = 4;

/** d32-SSAS-n8-p4-x2 */
export function shapeKey({ dModel, pattern, dState, patchFrames, expand }: Shape): string {
  return `d${dModel}-${pattern}-n${dState}-p${patchFrames}-x${expand}`;
}

/** Reads what shapeKey wrote. Throws STUDY_PART. */
export function parseShape(key: string): Shape {
  const match = /^d(\d+)-([SA]+)-n(\d+)-p(\d+)-x(\d+)$/.exec(key);
  if (!match) throw new ConfigError("STUDY_PART", `"${key}" is no shape of the search: one is d32-SSAS-n8-p4-x2.`);
  const [dModel, dState, patchFrames, expand] = [match[1], match[3], match[4], match[5]].map(Number) as [number, number, number, number];
  return { dModel, pattern: match[2]!, dState, patchFrames, expand };
}

/** Any shape, each equally likely. */
export function randomShape(random: Random): Shape {
  return Object.fromEntries(genes.map((gene) => [gene, pick(choices[gene], random)])) as unknown as Shape;
}

/** Each choice from one of two parents, then one or two of them moved to a neighbour. */
export function crossShapes(mother: Shape, father: Shape, random: Random): Shape {
  const child: Record<string, number | string> = {};
  for (const gene of genes) child[gene] = (random.uniform() < 0.5 ? mother : father)[gene];
  for (let moves = 1 + random.integer(2); moves > 0; moves--) {
    const gene = pick(genes, random);
    const values = choices[gene];
    const at = values.indexOf(child[gene]!) + (random.uniform() < 0.5 ? -1 : 1);
    child[gene] = values[Math.max(0, Math.min(values.length - 1, at))]!;
  }
  return child as unknown as Shape;
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[random.integer(values.length)]!;
}

/** The agent's training with a net of this shape: the window stays 128 frames, every span of patches keeps its time. */
export function createTraining(base: AgentTraining, shape: Shape): AgentTraining {
  const { config, recipe, image } = base;
  const { dModel, pattern, dState, patchFrames, expand } = shape;
  const dInner = expand * dModel;
  const windowPatches = WINDOW_FRAMES / patchFrames;
  const patches = (n: number): number => (n * config.patchFrames) / patchFrames;
  const ssm: SsmConfig = { kind: "ssm", dInner, nHeads, headDim: dInner / nHeads, dState, dConv };
  const attention: AttentionConfig = { kind: "attention", nHeads, nKvHeads, headDim: dModel / nHeads, windowPatches, dMlp: 2 * dModel };
  const net: NetConfig = {
    ...config,
    dModel,
    patchFrames,
    blocks: Array.from(pattern, (kind) => (kind === "S" ? ssm : attention)),
    exits: Array.from(pattern, (_, i) => i),
  };
  return {
    ...base,
    config: net,
    recipe: { ...recipe, cropPatches: patches(recipe.cropPatches), exitWeights: lastOf(recipe.exitWeights, pattern.length) },
    image: {
      ...image,
      windowPatches,
      hopPatches: patches(image.hopPatches),
      contextPatches: patches(image.contextPatches),
      ringPatches: patches(image.ringPatches),
    },
  };
}

/** The last n weights: the last exit keeps its own. */
function lastOf(weights: readonly number[], n: number): number[] {
  return Array.from({ length: n }, (_, i) => weights[Math.max(0, weights.length - n + i)]!);
}

/** The shape of a training's net, as the search writes it. */
export function shapeOfConfig({ dModel, patchFrames, blocks }: NetConfig): Shape {
  const ssm = blocks.find((block) => block.kind === "ssm");
  if (!ssm) throw new ConfigError("STUDY_SHAPE", "the agent's net has no ssm block: the search varies nets of ssm and attention blocks.");
  const pattern = blocks.map(({ kind }) => (kind === "ssm" ? "S" : "A")).join("");
  return { dModel, pattern, dState: ssm.dState, patchFrames, expand: ssm.dInner / dModel };
}
