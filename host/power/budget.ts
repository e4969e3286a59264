/** A token bucket in joules, for discretionary work. */
export interface Budget {
  readonly balanceJoules: number; // below 0 by less than one operation
  readonly capacityJoules: number;
  readonly grantedJoules: number; // the first fill and all that came in, what overflowed left out
  readonly spentJoules: number;
  /** Worst debt so far beyond the largest single operation. It stays 0 as long as callers respect `isOpen`. */
  readonly overspendJoules: number;
  readonly fill: number; // balance / capacity, 0…1
  /** Whether another operation may begin. */
  readonly isOpen: boolean;
  /** Adds the tokens of a stretch of time; negative times add none. */
  advance(seconds: number): void;
  /**
   * Subtracts the cost of a finished operation. The cost is known only then, so the balance may fall below 0 by that much.
   * `beforeJoules`: already subtracted for the same operation, default 0.
   */
  spend(joules: number, beforeJoules?: number): void;
  /** Sets the refill rate, watts. */
  setRate(watts: number): void;
}

/**
 * Token bucket: joules refill at a rate up to a capacity. An operation may begin while the balance is positive. Its price is known only
 * afterwards (a catch-up, a resend), so the debt is at most one operation.
 */
export function createBudget(options: {
  readonly rateWatts: number;
  readonly capacityJoules: number;
  readonly initialJoules?: number;
}): Budget {
  const capacityJoules = Math.max(0, options.capacityJoules);
  let balance = Math.min(capacityJoules, Math.max(0, options.initialJoules ?? capacityJoules));
  let rate = Math.max(0, options.rateWatts);
  let granted = balance;
  let spent = 0;
  let largest = 0;
  let lowest = 0;
  return {
    get balanceJoules() {
      return balance;
    },
    capacityJoules,
    get grantedJoules() {
      return granted;
    },
    get spentJoules() {
      return spent;
    },
    get overspendJoules() {
      return Math.max(0, -lowest - largest);
    },
    get fill() {
      return capacityJoules === 0 ? 0 : Math.max(0, balance / capacityJoules);
    },
    get isOpen() {
      return balance > 0;
    },
    advance(seconds) {
      const before = balance;
      balance = Math.min(capacityJoules, balance + rate * Math.max(0, seconds));
      granted += balance - before;
    },
    spend(joules, beforeJoules = 0) {
      const cost = Math.max(0, joules);
      balance -= cost;
      spent += cost;
      largest = Math.max(largest, beforeJoules + cost);
      lowest = Math.min(lowest, balance);
    },
    setRate(watts) {
      rate = Math.max(0, watts);
    },
  };
}

/**
 * Discretionary watts that reach the target battery life: remaining joules over remaining time, minus the floor. 0 if the floor alone
 * is too much.
 */
export function discretionaryWatts(usableJoules: number, remainingSeconds: number, floorWatts: number): number {
  return remainingSeconds <= 0 ? 0 : Math.max(0, usableJoules / remainingSeconds - floorWatts);
}
