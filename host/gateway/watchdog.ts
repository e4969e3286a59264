import type { Clock } from "../core/system/clock.ts";

/** Progress of a consumer. */
export interface Progress {
  readonly arrived: number; // frames from the sensor
  readonly done: number; // frames processed by the model
}

/**
 * Feeds the watchdog twice per period while work proceeds. If frames wait and none was processed since the last feed, something is
 * stuck, and systemd restarts the service. A sensor without frames is not a fault of the service.
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
