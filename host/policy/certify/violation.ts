import type { Cluster } from "./bootstrap.ts";

/**
 * Share of the draws of whole wearers, with replacement, in which more than `alpha` of the local answers are wrong: what another draw of
 * wearers would have made of the guarantee, to be read beside its δ. NaN where nothing was answered.
 */
export function violationRate(
  wearers: readonly Cluster[],
  alpha: number,
  options: { readonly random: { integer(n: number): number }; readonly draws?: number },
): number {
  const { random, draws = 2000 } = options;
  let counted = 0;
  let violated = 0;
  for (let draw = 0; draw < draws; draw++) {
    let wrong = 0;
    let answered = 0;
    for (let i = 0; i < wearers.length; i++) {
      const { sum, weight } = wearers[random.integer(wearers.length)]!;
      wrong += sum;
      answered += weight;
    }
    if (answered === 0) continue;
    counted++;
    if (wrong > alpha * answered) violated++;
  }
  return violated / counted;
}
