const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;

/** What may leave the device at most. Left out: unbounded. */
export interface PrivacyLimits {
  readonly bytesPerDay?: number | undefined;
  readonly bitsPerHour?: number | undefined;
}

/** Bytes of sensor data that may leave the device, per day and per hour. Times in seconds on any clock that goes forward. */
export interface PrivacyBudget {
  readonly bytesPerDay: number;
  readonly sentBytes: number; // since it began
  readonly leftBytes: number; // of this day
  /** What may go now: the rest of the day and of the hour. */
  allowedBytes(atSeconds: number): number;
  /** What may go now so that the rest of the day gets its share: the day so far and an hour more, less what has gone. */
  pacedBytes(atSeconds: number): number;
  /** Counts what has left. Patches count as sensor data: they are it in int8, and can be turned back. */
  send(atSeconds: number, bytes: number): void;
}

/**
 * The day refills whole at its start, so no day from midnight to midnight sends more than `bytesPerDay`; the hour slides, so no hour,
 * wherever it is laid, sends more than `bitsPerHour`. A message tells no more about the user than it has bits, whatever is inferred from it.
 */
export function createPrivacyBudget(limits: PrivacyLimits = {}): PrivacyBudget {
  const { bytesPerDay = Number.POSITIVE_INFINITY, bitsPerHour = Number.POSITIVE_INFINITY } = limits;
  let day = 0;
  let used = 0; // bytes of this day
  let sent = 0;
  let recent: { readonly at: number; readonly bytes: number }[] = []; // of the last hour, if the hour is bounded
  const turn = (atSeconds: number): void => {
    const today = Math.floor(atSeconds / DAY_SECONDS);
    if (today <= day) return;
    day = today;
    used = 0;
  };
  const hourBytes = (atSeconds: number): number => {
    recent = recent.filter(({ at }) => at > atSeconds - HOUR_SECONDS);
    return bitsPerHour / 8 - recent.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  return {
    bytesPerDay,
    get sentBytes() {
      return sent;
    },
    get leftBytes() {
      return Math.max(0, bytesPerDay - used);
    },
    allowedBytes(atSeconds) {
      turn(atSeconds);
      return Math.max(0, Math.min(bytesPerDay - used, hourBytes(atSeconds)));
    },
    pacedBytes(atSeconds) {
      turn(atSeconds);
      const share = Math.min(1, ((atSeconds % DAY_SECONDS) + HOUR_SECONDS) / DAY_SECONDS);
      return Math.max(0, Math.min(share * bytesPerDay - used, hourBytes(atSeconds)));
    },
    send(atSeconds, bytes) {
      turn(atSeconds);
      used += bytes;
      sent += bytes;
      if (bitsPerHour !== Number.POSITIVE_INFINITY) recent.push({ at: atSeconds, bytes });
    },
  };
}

/** The largest of the sizes that fits, 0 = none does. */
export function largestWithin(bytes: number, sizes: readonly number[]): number {
  return Math.max(0, ...sizes.filter((size) => size <= bytes));
}
