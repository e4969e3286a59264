import { discriminantScores, fitDiscriminant } from "./discriminant.ts";
import type { LdaRecipe, StatisticRows } from "./fit-lda.ts";

/** A window's statistics stray further between wearers than within one: half of what they say counts. */
const MOST_SHARE = 0.5;
/** Of the largest logit, nats: an s16 holds 32, and the net adds its own. */
const ROOM = 20;

/** The share of a discriminant's log probabilities that fits what the core holds: two classes at its limit could not be told apart. */
export function fitLdaShare({ rows, labels }: StatisticRows, { shrinkage, offsets }: Pick<LdaRecipe, "shrinkage" | "offsets">): number {
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const ranks = labels.map((label) => present.indexOf(label));
  const discriminant = fitDiscriminant(rows, ranks, present.length, shrinkage);
  let most = 0;
  for (const row of rows) {
    const scores = discriminantScores(discriminant, row).map((score, k) => score + offsets[present[k]!]!);
    most = Math.max(most, Math.max(...scores) - scores.reduce((sum, score) => sum + score, 0) / scores.length);
  }
  return Math.min(MOST_SHARE, ROOM / most);
}

/** Of scores (nClasses,), each times `sharpness`. */
export function crossEntropy(row: Float64Array, truth: number, sharpness: number): number {
  const top = Math.max(...row);
  return sharpness * (top - row[truth]!) + Math.log(row.reduce((sum, score) => sum + Math.exp(sharpness * (score - top)), 0));
}
