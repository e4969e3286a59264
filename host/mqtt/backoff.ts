import { randomBytes } from "node:crypto";

/** Fills `count` bytes; injected so that tests and simulations repeat. */
export type RandomBytes = (count: number) => Uint8Array;

/** The machine's own randomness. */
export const systemRandom: RandomBytes = (count) => randomBytes(count);

/** How long to wait between tries: doubling from `firstMillis`, never above `maxMillis`. */
export interface Backoff {
  readonly firstMillis: number;
  readonly maxMillis: number;
}

/**
 * Milliseconds before try `attempt` (0 = the first retry): half of the doubled delay plus a random half, so that a
 * thousand devices that lost one broker do not come back in one instant.
 */
export function backoffMillis(backoff: Backoff, attempt: number, random: RandomBytes): number {
  const full = Math.min(backoff.maxMillis, backoff.firstMillis * 2 ** Math.min(attempt, 30));
  const [high = 0, low = 0] = random(2);
  return full / 2 + (full / 2) * ((high * 256 + low) / 65536);
}
