import type { Recording } from "../data/recording.ts";
import type { ClassOf, FeatureConfig } from "./batches.ts";
import { discriminantScores, fitDiscriminant } from "./discriminant.ts";
import { type LdaRecipe, readStatistics } from "./fit-lda.ts";

/** 1, 0.71, 0.5, … 0.03. */
const SHARES = Array.from({ length: 11 }, (_, i) => 2 ** (-i / 2));
/** Of the largest logit, nats: an s16 holds 32, and the net adds its own. */
const ROOM = 16;

/**
 * The share of a discriminant's log probabilities with the least cross-entropy on wearers that it has not learned from, of those that keep
 * the largest logit within what an s16 holds beside the net's. One temperature for the whole head: Guo et al. 2017, arXiv:1706.04599.
 */
export function chooseLdaShare(
  { fit, select }: { readonly fit: readonly Recording[]; readonly select: readonly Recording[] },
  features: FeatureConfig,
  classOf: ClassOf,
  { shrinkage, rotationRadians, offsets }: Pick<LdaRecipe, "shrinkage" | "rotationRadians" | "offsets">,
): number {
  const learned = readStatistics(fit, features, classOf, rotationRadians);
  const present = [...new Set(learned.labels)].sort((a, b) => a - b);
  const ranks = learned.labels.map((label) => present.indexOf(label));
  const discriminant = fitDiscriminant(learned.rows, ranks, present.length, shrinkage);
  const scoresOf = (rows: readonly Int32Array[]): Float64Array[] =>
    rows.map((row) => discriminantScores(discriminant, row).map((score, k) => score + offsets[present[k]!]!));
  const others = readStatistics(select, features, classOf, [0, 0, 0]);
  const held = scoresOf(others.rows).flatMap((row, i) => {
    const truth = present.indexOf(others.labels[i]!);
    return truth < 0 ? [] : [{ row, truth }];
  });
  const most = Math.max(...[...scoresOf(learned.rows), ...held.map(({ row }) => row)].map((row) => Math.max(...row) - mean(row)));
  const allowed = SHARES.filter((share) => share * most <= ROOM);
  const costs = allowed.map((share) => mean(held.map(({ row, truth }) => crossEntropy(row, truth, share))));
  return allowed[costs.indexOf(Math.min(...costs))] ?? ROOM / most;
}

/** Of scores (nClasses,), each times `share`. */
export function crossEntropy(row: Float64Array, truth: number, share: number): number {
  const top = Math.max(...row);
  return share * (top - row[truth]!) + Math.log(row.reduce((sum, score) => sum + Math.exp(share * (score - top)), 0));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
