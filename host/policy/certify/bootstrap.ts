/** A wearer's part of a ratio: `sum` of what is counted, out of `weight`. */
export interface Cluster {
  readonly sum: number;
  readonly weight: number;
}

export interface BootstrapOptions {
  /** Uniform integers in [0, n): seeded by the caller. */
  readonly random: { integer(n: number): number };
  /** Resamplings, default 2,000. */
  readonly draws?: number;
  /** Share of the draws within the interval, default 0.95. */
  readonly level?: number;
}

/** A percentile interval. NaN ends where nothing has weight. */
export interface Interval {
  readonly level: number;
  readonly low: number;
  readonly high: number;
  readonly draws: number;
}

/**
 * Percentile interval of Σsum / Σweight over whole clusters drawn with replacement: what another draw of wearers would have
 * given, where an interval over windows would take a wearer's windows for independent. Draws without weight are left out.
 * Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1979).
 */
export function bootstrapInterval(clusters: readonly Cluster[], options: BootstrapOptions): Interval {
  const { random, draws = 2000, level = 0.95 } = options;
  const ratios: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    let weight = 0;
    for (let i = 0; i < clusters.length; i++) {
      const cluster = clusters[random.integer(clusters.length)]!;
      sum += cluster.sum;
      weight += cluster.weight;
    }
    if (weight > 0) ratios.push(sum / weight);
  }
  ratios.sort((a, b) => a - b);
  return { level, low: quantile(ratios, (1 - level) / 2), high: quantile(ratios, (1 + level) / 2), draws };
}

/** Linear between the two nearest of ascending `values`; NaN of none. */
function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const at = share * (values.length - 1);
  const below = values[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (values[Math.ceil(at)]! - below);
}
