/** 95 % quantiles of Student's t, from 1 degree of freedom on. */
const T_95 = [
  6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.74, 1.734, 1.729, 1.725,
  1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
] as const;

/**
 * One-sided lower 95 % bound of the mean over wearers of a share −1…1, one value per wearer: mean − t·sd/√n (Student 1908). Decisions of one
 * wearer depend on each other, so wearers are counted, not decisions. With fewer than two wearers nothing is known: −1.
 */
export function lowerMeanBound(values: readonly number[]): number {
  const n = values.length;
  if (n < 2) return -1;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return Math.max(-1, mean - T_95[Math.min(n - 1, T_95.length) - 1]! * Math.sqrt(variance / n));
}
