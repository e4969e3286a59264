import type { Clock } from "../../core/system/clock.ts";
import { type Backoff, type RandomBytes, resendMillis } from "../transport/backoff.ts";
import type { Payload } from "../wire/payloads.ts";
import { createAskWindow } from "./ask-window.ts";

/** An ask between *asked* and its end. Times are the clock's monotonic milliseconds. */
export interface PendingAsk {
  readonly id: string;
  readonly payload: Payload<"ask" | "text-ask">; // its deadlineMillis counts from askedAt
  askedAt: number;
  deadlineAt: number;
  sends: number;
  sentAt: number; // last
}

/**
 * Which pending ask goes out when: only as many as the window allows are sent and unanswered at once, the others wait in order. A
 * sent one is due again after a growing delay, since a broker's acknowledgement is not an answer, and then goes before those that
 * were never sent; when the link was down, all are due.
 */
export interface PendingAsks {
  readonly byId: ReadonlyMap<string, PendingAsk>;
  add(ask: Pick<PendingAsk, "id" | "payload" | "askedAt" | "deadlineAt">): void;
  remove(id: string, isAnswered: boolean): PendingAsk | undefined;
  /** Sends what the window has room for; a no-op while offline. */
  pump(): void;
  /** A worker asked for patience: due again in `millis`. */
  postpone(id: string, millis: number): void;
  /** Stops resending; the next pump starts over with the oldest. */
  pause(): void;
  /** Time went by that the clock did not see: the machine slept. */
  age(millis: number): void;
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
  const { clock } = options;
  const byId = new Map<string, PendingAsk>();
  const cancelDeadline = new Map<string, () => void>();
  const cancelRetry = new Map<string, () => void>(); // its keys are under way
  const due = new Set<string>(); // sent before, unanswered: first
  const waiting = new Set<string>(); // oldest first
  const window = createAskWindow(options.window);

  const send = (ask: PendingAsk) => {
    due.delete(ask.id);
    waiting.delete(ask.id);
    schedule(ask, resendMillis(options.retry, ask.sends, options.random));
    ask.sends++;
    ask.sentAt = clock.now();
    options.send(ask);
  };
  const schedule = (ask: PendingAsk, millis: number) => {
    cancelRetry.get(ask.id)?.();
    const fallDue = () => {
      cancelRetry.delete(ask.id);
      due.add(ask.id);
      window.setBack(ask.sentAt, clock.now());
      pump();
    };
    cancelRetry.set(ask.id, clock.after(millis, fallDue));
  };
  const pump = () => {
    for (const queue of [due, waiting]) {
      for (const id of queue) {
        if (!options.isOnline() || cancelRetry.size >= window.size) return;
        send(byId.get(id)!);
      }
    }
  };
  const watchDeadline = (ask: PendingAsk) => {
    cancelDeadline.get(ask.id)?.();
    const left = Math.max(0, ask.deadlineAt - clock.now());
    cancelDeadline.set(
      ask.id,
      clock.after(left, () => byId.has(ask.id) && options.expire(ask)),
    );
  };

  return {
    byId,
    add(asked) {
      const ask = { ...asked, sends: 0, sentAt: 0 };
      byId.set(ask.id, ask);
      waiting.add(ask.id);
      watchDeadline(ask);
      pump();
    },
    remove(id, isAnswered) {
      const ask = byId.get(id);
      if (ask && isAnswered) window.answered();
      byId.delete(id);
      waiting.delete(id);
      due.delete(id);
      for (const timers of [cancelDeadline, cancelRetry]) {
        timers.get(id)?.();
        timers.delete(id);
      }
      return ask;
    },
    pump,
    postpone(id, millis) {
      const ask = byId.get(id);
      if (!ask || !cancelRetry.has(id)) return;
      window.setBack(ask.sentAt, clock.now());
      schedule(ask, millis);
    },
    pause() {
      for (const cancel of cancelRetry.values()) cancel();
      cancelRetry.clear();
      due.clear();
      waiting.clear();
      for (const id of byId.keys()) waiting.add(id);
      window.restart();
    },
    age(millis) {
      for (const ask of byId.values()) {
        ask.askedAt -= millis;
        ask.deadlineAt -= millis;
        watchDeadline(ask);
      }
    },
    clear() {
      for (const timers of [cancelDeadline, cancelRetry]) for (const cancel of timers.values()) cancel();
      for (const collection of [byId, cancelDeadline, cancelRetry, due, waiting]) collection.clear();
    },
  };
}
