import type { Clock } from "../core/system/clock.ts";

/** How far a consumer has come. */
export interface Progress {
  readonly arrived: number; // frames that the sensor has given
  readonly done: number; // frames that the model has taken
}

/**
 * Gives a sign of life twice a watchdog period, but only while the work goes on: frames that wait with none taken since the last sign
 * mean that something is stuck, and then systemd restarts the service. A sensor that gives nothing is no fault of the service.
 */
export function keepAlive(options: {
  readonly clock: Clock;
  readonly watchdogMillis: number;
  readonly progress: () => Progress;
  readonly alive: () => void;
  readonly onStuck: () => void;
}): () => void {
  const { clock, watchdogMillis, progress, alive, onStuck } = options;
  let before: Progress = progress();
  let cancel: () => void = () => undefined;
  const beat = () => {
    const now = progress();
    const isStuck = now.done === before.done && before.arrived > before.done;
    before = now;
    if (isStuck) onStuck();
    else alive();
    cancel = clock.after(watchdogMillis / 2, beat);
  };
  alive();
  cancel = clock.after(watchdogMillis / 2, beat);
  return () => cancel();
}
