import type { Clock } from "../core/clock.ts";
import { MqttError } from "../core/errors.ts";

/** Of each code so many are told in any `WINDOW_MILLIS`; the rest is counted. */
const TOLD_PER_WINDOW = 20;
const WINDOW_MILLIS = 60_000;

/** Passes anomalies on, each code a bounded number of times per minute. */
export interface RepeatLimit {
  tell(code: string, message: string): void;
  /** Says how many of each code were left out since the last one that was told. */
  flush(): void;
}

/** Rate limit per code (fixed window): a peer that repeats itself 2,000 times fills no log. The next line of a code says how many were left out. */
export function createRepeatLimit(clock: Pick<Clock, "now">, onAnomaly: ((error: MqttError) => void) | undefined): RepeatLimit {
  const codes = new Map<string, { startedAt: number; told: number; leftOut: number }>(); // as many as there are codes in the source
  const leftOutText = (leftOut: number) => (leftOut === 0 ? "" : ` ${leftOut} more like it were not reported.`);
  return {
    tell(code, message) {
      const now = clock.now();
      const seen = codes.get(code) ?? { startedAt: now, told: 0, leftOut: 0 };
      codes.set(code, seen);
      if (now - seen.startedAt >= WINDOW_MILLIS) {
        seen.startedAt = now;
        seen.told = 0;
      }
      if (seen.told >= TOLD_PER_WINDOW) {
        seen.leftOut++;
        return;
      }
      seen.told++;
      const more = leftOutText(seen.leftOut);
      seen.leftOut = 0;
      onAnomaly?.(new MqttError(code, message + more));
    },
    flush() {
      for (const [code, seen] of codes) {
        if (seen.leftOut > 0) onAnomaly?.(new MqttError(code, `${seen.leftOut} more of ${code} were not reported.`));
        seen.leftOut = 0;
      }
    },
  };
}
