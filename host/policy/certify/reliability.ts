/** One bin of a reliability table: confidences low < c ≤ high (the first bin takes 0 too). */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  readonly confidence: number; // mean, 0 in an empty bin
  readonly accuracy: number; // share right, 0 in an empty bin
}

export interface Reliability {
  /** Expected calibration error: Σ count/n · |accuracy − confidence|. */
  readonly ece: number;
  readonly bins: readonly ReliabilityBin[];
}

/**
 * How far confidence is from accuracy, in bins of equal width. Confidences are probabilities 0…1.
 * Source: Guo et al., arXiv 1706.04599 §2; 15 bins as there.
 */
export function reliability(confidence: readonly number[], isRight: readonly boolean[], nBins = 15): Reliability {
  const counts = new Array<number>(nBins).fill(0);
  const sums = new Array<number>(nBins).fill(0);
  const right = new Array<number>(nBins).fill(0);
  confidence.forEach((value, i) => {
    const bin = Math.min(nBins - 1, Math.max(0, Math.ceil(value * nBins) - 1));
    counts[bin]!++;
    sums[bin]! += value;
    if (isRight[i]) right[bin]!++;
  });
  const bins = counts.map((count, b) => ({
    low: b / nBins,
    high: (b + 1) / nBins,
    count,
    confidence: count === 0 ? 0 : sums[b]! / count,
    accuracy: count === 0 ? 0 : right[b]! / count,
  }));
  const ece = bins.reduce((sum, bin) => sum + (bin.count / Math.max(1, confidence.length)) * Math.abs(bin.accuracy - bin.confidence), 0);
  return { ece, bins };
}
