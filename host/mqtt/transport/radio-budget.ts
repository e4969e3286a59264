import { MqttError } from "../../core/system/errors.ts";

/** A radio that wakes for one try is on for at least so long: wake-up, scan and tail. */
const LEAST_CHARGE_MILLIS = 1000;
/** A try shorter than this has no chance with a slow network. */
const LEAST_TRY_MILLIS = 2000;
const HOUR_MILLIS = 3_600_000;

/**
 * Radio time that brings nothing, bounded in every window of an hour. A try is let begin only if it, and the silence after which
 * a connection that it makes would be given up, still fit beside what the last hour spent; so the bound holds wherever the hour is laid.
 */
export interface RadioBudget {
  /** Milliseconds from `now` until a try may begin; 0 = now. */
  waitMillis(now: number): number;
  /** How long a try that begins now may last, at most `wishMillis`. */
  tryMillis(now: number, wishMillis: number): number;
  /** Radio time from `from` to `to` brought nothing. */
  charge(from: number, to: number): void;
  /** Spent in the hour before `now`. */
  spentMillis(now: number): number;
}

/** `reserveMillis`: the longest silence before a connection is given up. Without `millisAnHour` radio time is only reported. */
export function createRadioBudget(millisAnHour: number | undefined, reserveMillis: number): RadioBudget {
  const limit = millisAnHour ?? Number.POSITIVE_INFINITY;
  const need = LEAST_TRY_MILLIS + reserveMillis;
  if (!(limit >= need)) {
    throw new MqttError(
      "RADIO_BUDGET_TOO_SMALL",
      `a radio budget of ${millisAnHour} ms an hour has no room for one try of ${LEAST_TRY_MILLIS} ms and the ${reserveMillis} ms after which a silent connection is given up. Allow more, or a shorter keep alive.`,
    );
  }
  let spent: { readonly from: number; readonly to: number }[] = []; // oldest first, of the last hour

  /** Whatever ended within the hour counts in full: never too little. */
  const spentAt = (now: number) => spent.reduce((sum, { from, to }) => sum + (to > now - HOUR_MILLIS ? to - from : 0), 0);

  return {
    waitMillis(now) {
      if (limit - spentAt(now) >= need) return 0;
      for (const { to } of spent) {
        const at = to + HOUR_MILLIS; // when it leaves the hour
        if (at > now && limit - spentAt(at) >= need) return at - now;
      }
      return 0;
    },
    tryMillis: (now, wishMillis) => Math.max(LEAST_TRY_MILLIS, Math.min(wishMillis, limit - spentAt(now) - reserveMillis)),
    charge(from, to) {
      spent = spent.filter((one) => one.to > to - HOUR_MILLIS);
      if (spent.length >= MAX_CHARGES) {
        const [first, second, ...rest] = spent; // never more entries than this: the two oldest become one that counts as long as the younger
        spent = [{ from: second!.to - (first!.to - first!.from) - (second!.to - second!.from), to: second!.to }, ...rest];
      }
      spent.push({ from, to: Math.max(to, from + LEAST_CHARGE_MILLIS) });
    },
    spentMillis: (now) => spentAt(now),
  };
}

/** One try per second for an hour; only an unbounded budget gets near it. */
const MAX_CHARGES = 3600;
