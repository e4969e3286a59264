/**
 * Upper end of the exact one-sided binomial interval: the largest p for which `failures` or fewer of `trials` still has
 * probability `delta`. 1 for no trials. Source: Clopper and Pearson, Biometrika 26 (1934).
 */
export function clopperPearsonUpper(failures: number, trials: number, delta: number): number {
  if (trials === 0 || failures >= trials) return 1;
  let low = failures / trials;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (binomialTail(failures, trials, middle) > delta) low = middle;
    else high = middle;
  }
  return high;
}

/** P(X ≤ k) for X binomial (n, p), summed in logarithms from k downwards. */
export function binomialTail(k: number, n: number, p: number): number {
  if (p <= 0 || k >= n) return 1;
  if (p >= 1) return 0;
  let logTerm = n * Math.log1p(-p); // P(X = 0)
  let largest = logTerm;
  const terms = [logTerm];
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p);
    terms.push(logTerm);
    largest = Math.max(largest, logTerm);
  }
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - largest);
  return Math.min(1, Math.exp(largest) * sum);
}
