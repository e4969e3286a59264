/** A token bucket in joules, for work that may be left undone. */
export interface Budget {
  readonly balanceJoules: number; // below 0 by less than one operation
  readonly capacityJoules: number;
  readonly grantedJoules: number; // the first fill and all that came in, what overflowed left out
  readonly spentJoules: number;
  /** Worst debt so far beyond the largest single operation: 0, whatever is asked of it, as long as `isOpen` is respected. */
  readonly overspendJoules: number;
  readonly fill: number; // balance / capacity, 0…1
  /** Whether another operation may begin. */
  readonly isOpen: boolean;
  /** Tokens come in; negative times count as none. */
  advance(seconds: number): void;
  /**
   * Takes what an operation has cost. It is known only when it is done, so the balance may fall below 0 by that much. `beforeJoules`:
   * what the same operation has taken already, default 0.
   */
  spend(joules: number, beforeJoules?: number): void;
  /** Watts that come in from now on. */
  setRate(watts: number): void;
}

/**
 * Joules come in at a rate and are kept up to a capacity. An operation may begin while there is any balance; nobody knows its price
 * before it is done (a catch-up, a resend), so the debt is at most that of one operation.
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
 * Watts of discretionary work that make a battery last: what it can still give over the time that it shall last, less what runs anyway.
 * 0 where the floor alone is too much.
 */
export function discretionaryWatts(usableJoules: number, remainingSeconds: number, floorWatts: number): number {
  return remainingSeconds <= 0 ? 0 : Math.max(0, usableJoules / remainingSeconds - floorWatts);
}
