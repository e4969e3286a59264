import type { Manifest, Smoothing } from "../core/image/image-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import type { Split } from "../data/split-subjects.ts";
import type { CertifyOptions } from "../policy/certify/learn-then-test.ts";
import { LOGIT_ONE } from "../policy/certify/replay.ts";
import type { ClassOf, FeatureConfig } from "./batches.ts";
import type { Distillation } from "./distill.ts";
import type { ExportOptions } from "./export.ts";
import type { LdaRecipe } from "./fit-lda.ts";
import type { NetConfig } from "./net-config.ts";
import type { Recipe } from "./train-net.ts";

/** The cloud's nets, trained first, and how a student learns from them. */
export interface Ensemble {
  readonly members: readonly EnsembleMember[];
  readonly distillation: Distillation;
}

export interface EnsembleMember {
  readonly name: string;
  readonly seed: number;
  readonly training: AgentTraining; // without an ensemble of its own
}

/**
 * Viterbi smoothing of an agent's labels. `cost`: of a change from one label to another, in units of a logit; `patches`: how many weigh as
 * one whole hop (a power of two).
 */
export function createSmoothing(labels: readonly string[], patches: number, cost: (from: string, to: string) => number): Smoothing {
  const costs = labels.flatMap((from) => labels.map((to) => (from === to ? 0 : Math.round(cost(from, to) * LOGIT_ONE))));
  return { shift: Math.log2(patches), transitionCosts: Int32Array.from(costs) };
}

/** All that an agent's training is, but for data and seed. */
export interface AgentTraining {
  readonly name: string;
  readonly config: NetConfig;
  readonly features: FeatureConfig;
  readonly recipe: Recipe;
  readonly classOf: ClassOf;
  readonly split: Split;
  readonly image: Omit<ExportOptions, "features" | "exits" | "manifest" | "lda" | "plausibility">;
  /** Undefined: the net's logits are all. */
  readonly lda?: LdaRecipe;
  readonly manifest: Pick<Manifest, "labels" | "channels" | "frameRateHz" | "orientation" | "windows"> & {
    readonly provenance: Omit<Manifest["provenance"], "seed">;
  };
  /** Undefined: temperatures alone, at the end of whole contexts; no exit may answer by itself (a teacher). */
  readonly guarantee: CertifyOptions | undefined;
  /** Undefined: learns from the labels alone. */
  readonly ensemble?: Ensemble;
}

/** "select": train on the fit wearers, score on the select wearers; "final": train on both, score on the calibrate wearers. */
export type Phase = "select" | "final";

/** Wearers that a phase trains on, and those that it scores on. The test wearers are in neither. */
export function assignRoles(split: Split, phase: Phase): { readonly train: readonly string[]; readonly heldOut: readonly string[] } {
  return phase === "select"
    ? { train: split.fit, heldOut: split.select }
    : { train: [...split.fit, ...split.select], heldOut: split.calibrate };
}

/** Throws SPLIT_OVERLAPS where a wearer is in two lists. */
export function checkSplit(split: Split): void {
  const all = [...split.fit, ...split.select, ...split.calibrate, ...split.test];
  const twice = all.find((user, i) => all.indexOf(user) !== i);
  if (twice === undefined) return;
  throw new ConfigError(
    "SPLIT_OVERLAPS",
    `wearer ${twice} is in two lists of the split. Each may be in one of fit, select, calibrate and test.`,
  );
}
