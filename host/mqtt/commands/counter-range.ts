import { isClockSet } from "../../core/system/clock.ts";

const DAY_MILLIS = 86_400_000;
/** How far an operator's clock may be ahead of a node's. */
const MAX_LEAD_MILLIS = DAY_MILLIS;
/** For a node whose clock is not set: how long after its last command, or its creation, another is accepted. */
const MAX_SILENCE_MILLIS = 3653 * DAY_MILLIS;

/**
 * The highest counter that is taken. Counters are an operator's wall milliseconds, so one far ahead of the clock is a wrong clock's; it
 * would make every later command "older" for ever. `last`: the last counter that was taken, or the floor that provision wrote.
 */
export function highestCounter(wallMillis: number, last: number): number {
  return isClockSet(wallMillis) ? wallMillis + MAX_LEAD_MILLIS : Math.max(last, Date.UTC(2023, 0, 1)) + MAX_SILENCE_MILLIS;
}
