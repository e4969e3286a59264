/** When a circuit breaker opens, and for how long: doubling with every probe that fails. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly firstOpenMillis: number;
  readonly maxOpenMillis: number;
}

/** Closed: tries go on. Open: none until its time is over; then one probe, which closes it or opens it for longer. */
export interface Breaker {
  readonly opens: number;
  isOpen(now: number): boolean;
  /** Milliseconds until a try is allowed; 0 = now. */
  waitMillis(now: number): number;
  /** `isLasting`: trying again will not help, so one failure opens it. */
  failed(now: number, isLasting: boolean): void;
  succeeded(): void;
}

export function createBreaker(options: BreakerOptions): Breaker {
  let failures = 0;
  let opens = 0;
  let inARow = 0; // openings since the last success
  let openUntil = Number.NEGATIVE_INFINITY;
  return {
    get opens() {
      return opens;
    },
    isOpen: (now) => now < openUntil,
    waitMillis: (now) => Math.max(0, openUntil - now),
    failed(now, isLasting) {
      failures++;
      if (failures < options.failures && !isLasting && inARow === 0) return;
      openUntil = now + Math.min(options.maxOpenMillis, options.firstOpenMillis * 2 ** Math.min(inARow, 30));
      opens++;
      inARow++;
      failures = 0;
    },
    succeeded() {
      failures = 0;
      inARow = 0;
      openUntil = Number.NEGATIVE_INFINITY;
    },
  };
}
