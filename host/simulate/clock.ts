import type { Clock } from "../core/system/clock.ts";

/** Simulated time. It moves only by calls, and runs due timers by time, then by creation. */
export interface SimulatedClock extends Clock {
  /** Moves to `millis`. Between two timers it waits for `settled`: work outside simulated time that must end first. */
  advanceTo(millis: number): Promise<void>;
  /** Registers such work. */
  hold(work: Promise<unknown>): void;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined; // undefined: cancelled
}

/** Wall time begins at midnight, 1 January 2026 UTC: the same in every run. */
const WALL_START = Date.UTC(2026, 0, 1);

export function createSimulatedClock(): SimulatedClock {
  let now = 0;
  let order = 0;
  const timers: Timer[] = []; // a heap on (at, order)
  let held: Promise<unknown>[] = [];
  const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  function add(timer: Timer): void {
    let i = timers.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(timer, timers[parent]!)) break;
      timers[i] = timers[parent]!;
      i = parent;
    }
    timers[i] = timer;
  }

  function take(): Timer {
    const first = timers[0]!;
    const last = timers.pop()!;
    if (timers.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= timers.length) break;
      if (child + 1 < timers.length && isBefore(timers[child + 1]!, timers[child]!)) child++;
      if (!isBefore(timers[child]!, last)) break;
      timers[i] = timers[child]!;
      i = child;
    }
    timers[i] = last;
    return first;
  }

  return {
    now: () => now,
    wall: () => WALL_START + now,
    after(millis, run) {
      const timer: Timer = { at: now + Math.max(0, millis), order: order++, run };
      add(timer);
      return () => {
        timer.run = undefined;
      };
    },
    async advanceTo(millis) {
      for (;;) {
        await settle();
        const next = timers[0];
        if (next === undefined || next.at > millis) break;
        take();
        if (next.run === undefined) continue;
        now = Math.max(now, next.at);
        next.run();
      }
      now = Math.max(now, millis);
    },
    hold(work) {
      held.push(work);
    },
  };

  /** Runs due promises and waits for registered work. */
  async function settle(): Promise<void> {
    while (held.length > 0) {
      const work = held;
      held = [];
      await Promise.all(work);
    }
    for (let i = 0; i < 4; i++) await undefined;
  }
}
