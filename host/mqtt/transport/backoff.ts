import { randomBytes } from "node:crypto";

/** Fills `count` bytes; injected so that tests and simulations repeat. */
export type RandomBytes = (count: number) => Uint8Array;

/** Bytes that are drawn at once: a call of the system costs far more than the few that an ask needs. */
const POOL_BYTES = 1024;

/** The machine's own randomness; every byte is handed out once. */
export const systemRandom: RandomBytes = createPool(randomBytes);

function createPool(draw: RandomBytes): RandomBytes {
  let pool: Uint8Array = new Uint8Array();
  let used = 0;
  return (count) => {
    if (count > POOL_BYTES) return draw(count);
    if (used + count > pool.length) {
      pool = draw(POOL_BYTES); // a new one: who keeps a part of the last keeps its bytes
      used = 0;
    }
    used += count;
    return pool.subarray(used - count, used);
  };
}

/** How long to wait between tries: doubling from `firstMillis`, never above `maxMillis`. */
export interface Backoff {
  readonly firstMillis: number;
  readonly maxMillis: number;
}

/**
 * Milliseconds before try `attempt` (0 = the first retry), full jitter: anywhere from nothing to the doubled delay, so that a
 * thousand devices that lost one broker come back spread over all of it. (Brooker, "Exponential Backoff and Jitter".)
 */
export function backoffMillis(backoff: Backoff, attempt: number, random: RandomBytes): number {
  return doubled(backoff, attempt) * fraction(random);
}

/** As backoffMillis, but at least half of the doubled delay: a resend that comes at once only makes a duplicate. */
export function resendMillis(backoff: Backoff, attempt: number, random: RandomBytes): number {
  const full = doubled(backoff, attempt);
  return full / 2 + (full / 2) * fraction(random);
}

function doubled(backoff: Backoff, attempt: number): number {
  return Math.min(backoff.maxMillis, backoff.firstMillis * 2 ** Math.min(attempt, 30));
}

/** Uniform in [0, 1), 16 bits. */
function fraction(random: RandomBytes): number {
  const [high = 0, low = 0] = random(2);
  return (high * 256 + low) / 65536;
}
