/** One thing to time: `run` does `calls` calls. */
export interface Subject {
  readonly name: string;
  run(calls: number): void;
}

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value: another program on the machine makes a run longer, never shorter. */
export function least(values: readonly number[]): number {
  return Math.min(...values);
}

/**
 * Times subjects in turn, round by round, so that a noisy minute hits all of them alike.
 * Returns the median nanoseconds a call of each, or what `pick` makes of its rounds; the ratio of two of one run is the figure to compare.
 */
export function timePaired(subjects: readonly Subject[], rounds = 31, roundMillis = 4, pick = median): Map<string, number> {
  const calls = subjects.map((subject) => {
    let n = 1;
    for (;;) {
      const start = performance.now();
      subject.run(n);
      const millis = performance.now() - start;
      if (millis >= roundMillis) return Math.max(1, Math.round((n * roundMillis) / millis));
      n *= 2;
    }
  });
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) {
      const start = performance.now();
      subject.run(calls[i]!);
      times[i]!.push(((performance.now() - start) * 1e6) / calls[i]!);
    }
  }
  return new Map(subjects.map((subject, i) => [subject.name, pick(times[i]!)]));
}
