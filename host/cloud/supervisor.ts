import type { Clock } from "../core/system/clock.ts";
import { type Backoff, backoffMillis, type RandomBytes } from "../mqtt/transport/backoff.ts";

/** A worker's process, as far as its supervisor knows it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Asks it to answer what it has and end, or (`isForced`) ends it. */
  stop(isForced: boolean): void;
}

export interface SupervisorOptions {
  readonly count: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Starts worker `index`; `onExit` is called once, when it has ended, for whatever reason. */
  start(index: number, onExit: (reason: string) => void): WorkerProcess;
  /** Between the end of a worker and its next start, default 500…30000 ms; anew after one that lasted `stableMillis`, default 10000. */
  readonly backoff?: Backoff;
  readonly stableMillis?: number;
  /** What a stop allows for answering what was admitted, default 15000; then the worker is ended. */
  readonly drainMillis?: number;
  readonly onRestart?: (index: number, reason: string, waitMillis: number) => void;
}

/** Keeps `count` workers alive until stopped. */
export interface Supervisor {
  readonly restarts: number;
  /** Process ids of those that run now. */
  pids(): number[];
  /** Asks all to end and waits until they have. */
  stop(): Promise<void>;
}

interface Slot {
  running: WorkerProcess | undefined;
  attempt: number;
  cancelStart: () => void;
}

/** One process a worker: a crash takes down what it had in hand and no more, and the asks in it are asked again by their devices. */
export function superviseWorkers(options: SupervisorOptions): Supervisor {
  const { clock, backoff = { firstMillis: 500, maxMillis: 30_000 }, stableMillis = 10_000, drainMillis = 15_000 } = options;
  const slots: Slot[] = Array.from({ length: options.count }, () => ({ running: undefined, attempt: 0, cancelStart: () => {} }));
  const whenStopped = new Set<() => void>();
  let isStopping = false;
  let restarts = 0;

  const start = (index: number) => {
    const slot = slots[index]!;
    const startedAt = clock.now();
    slot.running = options.start(index, (reason) => {
      slot.running = undefined;
      if (isStopping) {
        if (slots.every(({ running }) => running === undefined)) for (const resolve of whenStopped) resolve();
        return;
      }
      if (clock.now() - startedAt >= stableMillis) slot.attempt = 0;
      const waitMillis = backoffMillis(backoff, slot.attempt++, options.random);
      restarts++;
      options.onRestart?.(index, reason, waitMillis);
      slot.cancelStart = clock.after(waitMillis, () => start(index));
    });
  };
  for (let index = 0; index < options.count; index++) start(index);

  return {
    get restarts() {
      return restarts;
    },
    pids: () => slots.flatMap(({ running }) => (running?.pid === undefined ? [] : [running.pid])),
    stop() {
      isStopping = true;
      for (const slot of slots) slot.cancelStart();
      const running = () => slots.flatMap((slot) => slot.running ?? []);
      if (running().length === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const cancel = clock.after(drainMillis, () => {
          for (const worker of running()) worker.stop(true);
        });
        whenStopped.add(() => {
          cancel();
          resolve();
        });
        for (const worker of running()) worker.stop(false);
      });
    },
  };
}
