/** Time as the host sees it, injected everywhere: live, scaled, simulated or stepped by a test. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since the epoch, for timestamps that people read. */
  wall(): number;
  /** Calls `run` once after `millis`; the returned function cancels. */
  after(millis: number, run: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(millis, run) {
    const timer = setTimeout(run, millis);
    return () => clearTimeout(timer);
  },
};
