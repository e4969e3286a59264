/** Asks that a fresh connection sends before the first answer. */
const FIRST_ASKS = 8;

/** Smallest window: a few probes, since a killed worker loses the asks it held. */
const LEAST_ASKS = 4;

/**
 * How many asks may be sent and unanswered at once: grows with every answer, halves when one went unanswered or a worker was busy
 * (additive increase, multiplicative decrease after a slow start, as TCP's window: RFC 5681). So a burst fills no broker's bounded
 * queue, a thousand devices share the workers, and a dead cloud is probed by a few asks at a time.
 */
export interface AskWindow {
  readonly size: number;
  answered(): void;
  /** An ask that was sent at `sentAt` was lost or postponed. All of one round count once. */
  setBack(sentAt: number, now: number): void;
  /** The connection is new. */
  restart(): void;
}

export function createAskWindow(most: number): AskWindow {
  const least = Math.min(most, LEAST_ASKS);
  let size = Math.min(most, FIRST_ASKS);
  let slowStartBelow = most;
  let cutAt = Number.NEGATIVE_INFINITY;
  return {
    get size() {
      return Math.floor(size);
    },
    answered() {
      size = Math.min(most, size + (size < slowStartBelow ? 1 : 1 / size));
    },
    setBack(sentAt, now) {
      if (sentAt < cutAt) return;
      cutAt = now;
      size = slowStartBelow = Math.max(least, size / 2);
    },
    restart() {
      size = Math.min(most, Math.max(size, FIRST_ASKS));
      cutAt = Number.NEGATIVE_INFINITY;
    },
  };
}
