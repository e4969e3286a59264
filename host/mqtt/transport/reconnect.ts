import { type Backoff, backoffMillis, type RandomBytes } from "./backoff.ts";
import { type BreakerOptions, createBreaker } from "./breaker.ts";
import { createRadioBudget } from "./radio-budget.ts";

/** How long CONNACK and SUBACK may take together. */
export const CONNECT_TIMEOUT_MILLIS = 10_000;
/** A connection that lasted this long was a good one: the next loss starts the back-off anew. */
export const STABLE_MILLIS = 10_000;
/** After about four minutes without a connection that lasted, tries are up to 15 minutes apart. */
const BREAKER: BreakerOptions = { failures: 12, firstOpenMillis: 60_000, maxOpenMillis: 900_000 };

export interface ReconnectOptions {
  readonly random: RandomBytes;
  readonly backoff: Backoff;
  readonly breaker?: BreakerOptions | undefined;
  /** Fruitless radio time in any hour; left out: unbounded, for what hangs on the mains. */
  readonly radioMillisAnHour?: number | undefined;
  /** The longest silence after which a connection is given up. */
  readonly silenceMillis: number;
}

/** When to try to connect: back-off with full jitter, a circuit breaker and the radio's budget, whichever waits longest. */
export interface Reconnect {
  /** Milliseconds until the first try may begin: a wake-up does not buy a try that an outage has used up. */
  firstWaitMillis(now: number): number;
  /** A try begins: how long it may last. */
  begin(now: number): number;
  online(now: number): void;
  /** Ends a try, or the connection that it made (last packet received at `heardAt`). Returns milliseconds until the next try. */
  lost(now: number, heardAt: number, isLasting: boolean): number;
  /** We closed it ourselves. */
  closed(now: number): void;
  readonly breakerOpens: number;
  /** Fruitless, in the last hour. */
  radioMillis(now: number): number;
}

export function createReconnect(options: ReconnectOptions): Reconnect {
  const { random, backoff } = options;
  const breaker = createBreaker(options.breaker ?? BREAKER);
  const radio = createRadioBudget(options.radioMillisAnHour, Math.max(options.silenceMillis, STABLE_MILLIS));
  let attempt = 0;
  let begunAt: number | undefined; // of the try that is under way, or of the connection that it made
  let onlineAt: number | undefined;

  const isStable = (now: number) => onlineAt !== undefined && now - onlineAt >= STABLE_MILLIS;
  const allowedIn = (now: number) => Math.max(breaker.waitMillis(now), radio.waitMillis(now));
  const good = () => {
    attempt = 0;
    breaker.succeeded();
  };

  return {
    firstWaitMillis: allowedIn,
    begin(now) {
      begunAt = now;
      onlineAt = undefined;
      return radio.tryMillis(now, CONNECT_TIMEOUT_MILLIS);
    },
    online(now) {
      onlineAt = now;
    },
    lost(now, heardAt, isLasting) {
      const from = begunAt ?? now;
      radio.charge(isStable(now) ? Math.max(from, heardAt) : from, now);
      if (isStable(now)) good();
      else breaker.failed(now, isLasting);
      [begunAt, onlineAt] = [undefined, undefined];
      const waitMillis = backoffMillis(backoff, attempt++, random);
      const at = now + waitMillis;
      return waitMillis + allowedIn(at);
    },
    closed(now) {
      if (onlineAt !== undefined) good();
      else if (begunAt !== undefined) radio.charge(begunAt, now);
      [begunAt, onlineAt] = [undefined, undefined];
    },
    get breakerOpens() {
      return breaker.opens;
    },
    radioMillis: (now) => radio.spentMillis(now),
  };
}
