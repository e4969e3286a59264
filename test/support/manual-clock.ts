import type { Clock } from "../../host/core/system/clock.ts";

/** A clock that only a test moves. Timers run in order of their time, then of their making. */
export class ManualClock implements Clock {
  #nowMillis = 0;
  #wallOffset: number;
  #timers: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  constructor(wallMillis = 1_700_000_000_000) {
    this.#wallOffset = wallMillis;
  }

  now(): number {
    return this.#nowMillis;
  }

  wall(): number {
    return this.#wallOffset + this.#nowMillis;
  }

  after(millis: number, run: () => void): () => void {
    const timer = { at: this.#nowMillis + Math.max(0, millis), order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves time on, running what falls due on the way. */
  advance(millis: number): void {
    const end = this.#nowMillis + millis;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMillis = Math.max(this.#nowMillis, next.at);
      next.run();
    }
    this.#nowMillis = end;
  }

  /** The wall clock is set by hand, as users and time servers do. */
  jumpWall(millis: number): void {
    this.#wallOffset += millis;
  }

  get timers(): number {
    return this.#timers.length;
  }
}
