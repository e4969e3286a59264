/** Time as the host sees it, injected everywhere: live, scaled, simulated or stepped by a test. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since the epoch, for timestamps that people read; 0 if the clock is not set (before 1970). */
  wall(): number;
  /** Calls `run` once after `millis`; the returned function cancels. */
  after(millis: number, run: () => void): () => void;
}

/** A wall clock before this has not been set: a board without a battery starts in 1970. */
const PLAUSIBLE_WALL_MILLIS = Date.UTC(2023, 0, 1);

/** Whether somebody has set this wall clock. */
export function isClockSet(wallMillis: number): boolean {
  return wallMillis >= PLAUSIBLE_WALL_MILLIS;
}

/** The longest that setTimeout waits; asked for more, it calls at once. */
const MAX_TIMEOUT_MILLIS = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Math.max(0, Date.now()),
  after(millis, run) {
    let timer: NodeJS.Timeout;
    const wait = (left: number) => {
      const next = left > MAX_TIMEOUT_MILLIS ? () => wait(left - MAX_TIMEOUT_MILLIS) : run;
      timer = setTimeout(next, Math.min(left, MAX_TIMEOUT_MILLIS));
    };
    wait(millis);
    return () => clearTimeout(timer);
  },
};
