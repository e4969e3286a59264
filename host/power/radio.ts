import type { RadioProfile } from "./board-power.ts";

/** One exchange: payload bytes each way, and seconds until the answer. */
export interface Exchange {
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly waitSeconds: number;
}

/** State and energy of a radio. Times are seconds of one monotonic clock. */
export interface Radio {
  /** Joules up to the last call. */
  readonly joules: number;
  /** Part of them spent without traffic: connected or off. */
  readonly idleJoules: number;
  /** True during the tail of an exchange, when data can be sent at once. */
  isUp(atSeconds: number): boolean;
  /** Seconds until data can be sent. */
  readySeconds(atSeconds: number): number;
  /** What an exchange would add, tail included, if it began now. */
  priceJoules(atSeconds: number, exchange: Exchange): number;
  /** Transfers bytes, waking first if needed; returns the time of the last byte. */
  carry(atSeconds: number, bytesUp: number, bytesDown: number): number;
  /** Advances time. */
  advance(toSeconds: number): void;
  /** Nothing but an alarm is sent before this time. If it is too far off to stay connected until then, the radio goes off after its tail. */
  plan(nextUseSeconds: number | undefined): void;
}

/**
 * Ski-rental radio states: off, connected, active. After the tail of an exchange it stays connected until that has cost as much as a
 * reconnect, then goes off. This costs at most twice the optimum in hindsight (Karlin, Manasse, Rudolph and Sleator, Algorithmica 3, 1988).
 * With `isAlwaysConnected` it never goes off. A planned next use needs no such hedge. Starts off, or kept.
 */
export function createRadio(profile: RadioProfile, options: { readonly isAlwaysConnected?: boolean } = {}): Radio {
  const volts = profile.supplyVolts.value;
  const watts = (milliamps: number): number => milliamps * 1e-3 * volts;
  const offWatts = watts(profile.offMicroamps.value * 1e-3);
  const keptWatts = watts(profile.keptMicroamps.value * 1e-3);
  const tailWatts = watts(profile.tailMilliamps.value);
  const tailSeconds = profile.tailMillis.value / 1000;
  const attach = { joules: profile.attachMillijoules.value / 1000, seconds: profile.attachMillis.value / 1000 };
  const wake = { joules: profile.wakeMillijoules.value / 1000, seconds: profile.wakeMillis.value / 1000 };
  const worthKeepingSeconds =
    options.isAlwaysConnected || keptWatts <= offWatts
      ? Number.POSITIVE_INFINITY
      : Math.max(0, attach.joules - wake.joules) / (keptWatts - offWatts);
  const airSeconds = (bytes: number): number => (bytes * 8) / (profile.kilobitsPerSecond.value * 1000);
  const overhead = profile.overheadBytes.value;
  let at = 0; // everything until then is in `joules`
  let upUntil = 0; // end of the tail
  let isAttached = options.isAlwaysConnected ?? profile.attachMillijoules.value === 0;
  let joules = 0;
  let idleJoules = 0;
  let plannedUse: number | undefined;
  /** Seconds that it stays connected after its tail. */
  const keepSeconds = (): number => (plannedUse !== undefined && plannedUse - upUntil > worthKeepingSeconds ? 0 : worthKeepingSeconds);

  /** From `at` to `to`: tail, then connected, then off. */
  const pass = (to: number): void => {
    if (to <= at) return;
    const tail = Math.max(0, Math.min(to, upUntil) - at);
    const keptFrom = Math.max(at, upUntil);
    const offFrom = isAttached ? Math.max(keptFrom, upUntil + keepSeconds()) : keptFrom;
    const kept = isAttached ? Math.max(0, Math.min(to, offFrom) - keptFrom) : 0;
    const off = Math.max(0, to - Math.max(at, upUntil) - kept);
    const idle = kept * keptWatts + off * offWatts;
    joules += tail * tailWatts + idle;
    idleJoules += idle;
    if (isAttached && to > offFrom) isAttached = false;
    at = to;
  };
  const start = (now: number): { joules: number; seconds: number } =>
    now < upUntil ? { joules: 0, seconds: 0 } : isAttached && now <= upUntil + keepSeconds() ? wake : attach;
  return {
    get joules() {
      return joules;
    },
    get idleJoules() {
      return idleJoules;
    },
    isUp: (now) => now < upUntil,
    readySeconds: (now) => start(Math.max(now, at)).seconds,
    priceJoules(now, { bytesUp, bytesDown, waitSeconds }) {
      const { joules: begin, seconds } = start(now);
      const air =
        airSeconds(bytesUp + overhead) * watts(profile.transmitMilliamps.value) +
        airSeconds(bytesDown) * watts(profile.receiveMilliamps.value);
      const end = now + seconds + waitSeconds + tailSeconds;
      const more = end - Math.max(now + seconds, upUntil); // a tail that is running anyway is paid for
      return begin + air + Math.max(0, more) * tailWatts;
    },
    carry(now, bytesUp, bytesDown) {
      pass(Math.max(now, at));
      const { joules: begin, seconds } = start(at);
      const up = bytesUp > 0 ? airSeconds(bytesUp + overhead) : 0;
      const down = airSeconds(bytesDown);
      joules += begin + up * watts(profile.transmitMilliamps.value) + down * watts(profile.receiveMilliamps.value);
      isAttached = true;
      at += seconds + up + down; // priced above
      upUntil = Math.max(upUntil, at + tailSeconds);
      return at;
    },
    advance: pass,
    plan(nextUseSeconds) {
      plannedUse = nextUseSeconds;
    },
  };
}
