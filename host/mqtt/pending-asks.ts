import type { Clock } from "../core/clock.ts";
import { type Backoff, backoffMillis, type RandomBytes } from "./backoff.ts";
import type { Payload } from "./payloads.ts";

/** An ask between *asked* and its end. Times are the clock's monotonic milliseconds. */
export interface PendingAsk {
  readonly id: string;
  readonly payload: Payload<"ask">; // its deadlineMillis counts from askedAt
  readonly askedAt: number;
  readonly deadlineAt: number;
  sends: number;
}

/**
 * Which pending ask goes out when: at most `window` are sent and unanswered at once, the others wait in order. A sent one is due
 * again after a growing delay, since a broker's acknowledgement is not an answer; when the link was down, all are due.
 */
export interface PendingAsks {
  readonly byId: ReadonlyMap<string, PendingAsk>;
  add(ask: PendingAsk): void;
  remove(id: string): PendingAsk | undefined;
  /** Sends what the window has room for; a no-op while offline. */
  pump(): void;
  /** A worker asked for patience: due again in `millis`. */
  postpone(id: string, millis: number): void;
  /** Stops resending; the next pump starts over with the oldest. */
  pause(): void;
  clear(): void;
}

export function createPendingAsks(options: {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly retry: Backoff;
  readonly window: number;
  readonly isOnline: () => boolean;
  readonly send: (ask: PendingAsk) => void;
  readonly expire: (ask: PendingAsk) => void;
}): PendingAsks {
  const { clock, window } = options;
  const byId = new Map<string, PendingAsk>();
  const cancelDeadline = new Map<string, () => void>();
  const cancelRetry = new Map<string, () => void>(); // its keys are the window
  let waiting = new Set<string>(); // oldest first

  const send = (ask: PendingAsk) => {
    waiting.delete(ask.id);
    schedule(ask.id, backoffMillis(options.retry, ask.sends, options.random));
    ask.sends++;
    options.send(ask);
  };
  const schedule = (id: string, millis: number) => {
    cancelRetry.get(id)?.();
    cancelRetry.set(
      id,
      clock.after(millis, () => {
        const ask = byId.get(id);
        if (ask && options.isOnline()) send(ask);
      }),
    );
  };
  const pump = () => {
    if (!options.isOnline()) return;
    for (const id of waiting) {
      if (cancelRetry.size >= window) return;
      send(byId.get(id)!);
    }
  };

  return {
    byId,
    add(ask) {
      byId.set(ask.id, ask);
      waiting.add(ask.id);
      cancelDeadline.set(
        ask.id,
        clock.after(Math.max(0, ask.deadlineAt - clock.now()), () => byId.has(ask.id) && options.expire(ask)),
      );
      pump();
    },
    remove(id) {
      const ask = byId.get(id);
      byId.delete(id);
      waiting.delete(id);
      for (const timers of [cancelDeadline, cancelRetry]) {
        timers.get(id)?.();
        timers.delete(id);
      }
      return ask;
    },
    pump,
    postpone(id, millis) {
      if (cancelRetry.has(id)) schedule(id, millis);
    },
    pause() {
      for (const cancel of cancelRetry.values()) cancel();
      cancelRetry.clear();
      waiting = new Set(byId.keys());
    },
    clear() {
      for (const timers of [cancelDeadline, cancelRetry]) for (const cancel of timers.values()) cancel();
      for (const map of [byId, cancelDeadline, cancelRetry]) map.clear();
      waiting.clear();
    },
  };
}
