const DAY_SECONDS = 86_400;
const AHEAD_SECONDS = 3600;

/** How much of its sensor data an ask may carry: all of its context, the window alone, or nothing. */
export type AskForm = "context" | "window" | "none";

/** Bytes of sensor data that may leave the device a day. */
export interface PrivacyBudget {
  readonly bytesPerDay: number;
  readonly sentBytes: number; // since it began
  readonly leftBytes: number; // of this day
  /** What may go now so that the rest of the day gets its share: the day so far and an hour more, less what has gone. */
  pacedBytes(atSeconds: number): number;
  /** The fullest form that fits. Patches count as sensor data: they are it in int8, and can be turned back. */
  form(atSeconds: number, contextBytes: number, windowBytes: number): AskForm;
  /** Counts what has left. */
  send(atSeconds: number, bytes: number): void;
}

/** Refills whole at every start of a day, so that no stretch from midnight to midnight ever sends more. */
export function createPrivacyBudget(bytesPerDay: number): PrivacyBudget {
  let day = 0;
  let used = 0;
  let sent = 0;
  const turn = (atSeconds: number): void => {
    const today = Math.floor(atSeconds / DAY_SECONDS);
    if (today <= day) return;
    day = today;
    used = 0;
  };
  return {
    bytesPerDay,
    get sentBytes() {
      return sent;
    },
    get leftBytes() {
      return Math.max(0, bytesPerDay - used);
    },
    pacedBytes(atSeconds) {
      turn(atSeconds);
      const share = Math.min(1, ((atSeconds % DAY_SECONDS) + AHEAD_SECONDS) / DAY_SECONDS);
      return Math.max(0, share * bytesPerDay - used);
    },
    form(atSeconds, contextBytes, windowBytes) {
      turn(atSeconds);
      const left = bytesPerDay - used;
      return contextBytes <= left ? "context" : windowBytes <= left ? "window" : "none";
    },
    send(atSeconds, bytes) {
      turn(atSeconds);
      used += bytes;
      sent += bytes;
    },
  };
}
