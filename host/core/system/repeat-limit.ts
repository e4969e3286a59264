import type { Clock } from "./clock.ts";

/** Default: messages per code in any `windowMillis`; the rest is counted. */
const TOLD_PER_WINDOW = 20;
const WINDOW_MILLIS = 60_000;

/** Passes anomalies on, each code a bounded number of times per window. */
export interface RepeatLimit<Code extends string = string> {
  tell(code: Code, message: string): void;
  /** Reports how many of each code were left out since the last one that was let through. */
  flush(): void;
}

/** Rate limit per code (fixed window): a peer that repeats itself 2,000 times fills no log. The next line of a code has the count of those left out. */
export function createRepeatLimit<Code extends string = string>(
  clock: Pick<Clock, "now">,
  pass: ((code: Code, message: string) => void) | undefined,
  {
    toldPerWindow = TOLD_PER_WINDOW,
    windowMillis = WINDOW_MILLIS,
  }: { readonly toldPerWindow?: number; readonly windowMillis?: number } = {},
): RepeatLimit<Code> {
  const codes = new Map<Code, { startedAt: number; told: number; leftOut: number }>(); // as many as there are codes in the source
  return {
    tell(code, message) {
      const now = clock.now();
      const seen = codes.get(code) ?? { startedAt: now, told: 0, leftOut: 0 };
      codes.set(code, seen);
      if (now - seen.startedAt >= windowMillis) {
        seen.startedAt = now;
        seen.told = 0;
      }
      if (seen.told >= toldPerWindow) {
        seen.leftOut++;
        return;
      }
      seen.told++;
      const more = seen.leftOut === 0 ? "" : ` (${seen.leftOut} more like it were not reported)`;
      seen.leftOut = 0;
      pass?.(code, message + more);
    },
    flush() {
      for (const [code, seen] of codes) {
        if (seen.leftOut > 0) pass?.(code, `${seen.leftOut} more of ${code} were not reported.`);
        seen.leftOut = 0;
      }
    },
  };
}
