import type { RadioProfile } from "./board-power.ts";

/** What one exchange needs: bytes of payload each way, and how long the answer takes to come. */
export interface Exchange {
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly waitSeconds: number;
}

/** A radio's joules and where it stands. Times are seconds of one clock that never goes back. */
export interface Radio {
  /** Joules until the last time that it was told of. */
  readonly joules: number;
  /** Of them, those with nothing to send: kept or off. They flow whoever asks for what. */
  readonly idleJoules: number;
  /** Data can flow at once: the tail of an exchange. */
  isUp(atSeconds: number): boolean;
  /** Seconds until data can flow. */
  readySeconds(atSeconds: number): number;
  /** What an exchange would add, tail included, if it began now. */
  priceJoules(atSeconds: number, exchange: Exchange): number;
  /** Carries bytes, waking first where it must; returns when the last of them has passed. */
  carry(atSeconds: number, bytesUp: number, bytesDown: number): number;
  /** Lets time pass. */
  advance(toSeconds: number): void;
}

/**
 * Off, kept, up: an exchange brings it up, a tail keeps it there. After the tail it stays connected for as long as staying costs what
 * coming back would, then goes off: never more than twice what knowing the future would have cost (ski rental: Karlin, Manasse, Rudolph
 * and Sleator, Algorithmica 3, 1988). With `isAlwaysConnected` it never goes off. Starts off, or kept.
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
  const keepSeconds =
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

  /** From `at` to `to`: tail, then kept, then off. */
  const pass = (to: number): void => {
    if (to <= at) return;
    const tail = Math.max(0, Math.min(to, upUntil) - at);
    const keptFrom = Math.max(at, upUntil);
    const offFrom = isAttached ? Math.max(keptFrom, upUntil + keepSeconds) : keptFrom;
    const kept = isAttached ? Math.max(0, Math.min(to, offFrom) - keptFrom) : 0;
    const off = Math.max(0, to - Math.max(at, upUntil) - kept);
    const idle = kept * keptWatts + off * offWatts;
    joules += tail * tailWatts + idle;
    idleJoules += idle;
    if (isAttached && to > offFrom) isAttached = false;
    at = to;
  };
  const start = (now: number): { joules: number; seconds: number } =>
    now < upUntil ? { joules: 0, seconds: 0 } : isAttached && now <= upUntil + keepSeconds ? wake : attach;
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
  };
}
