import type { Clock } from "../../core/system/clock.ts";
import { createPaceControl, type SteeredPace } from "./pace-control.ts";
import type { Sensor, SensorFrame } from "./sensor.ts";

export interface PaceOptions {
  readonly clock: Clock;
  /** Sensor seconds per second; Infinity = unpaced. */
  readonly speed: number;
  /** Frames between two sleeps: a hop. */
  readonly hopFrames: number;
  /** Stops after so many sensor seconds. Default: never. */
  readonly seconds?: number;
  /** Changes the speed while frames pass. Default: `speed` all along. */
  readonly control?: SteeredPace;
  /** Stops at the next frame, waking from a sleep. */
  readonly signal?: AbortSignal;
}

/** A longer gap in the ticks is not waited for. */
const MAX_GAP_SECONDS = 1;

/** Passes frames on at the pace of their ticks: it sleeps once a hop, until the hop's last frame is due, and never drifts. */
export async function* paced(sensor: Sensor, options: PaceOptions): AsyncGenerator<SensorFrame> {
  const { clock, hopFrames, signal } = options;
  const control = options.control ?? createPaceControl(options.speed);
  const limit = Math.round((options.seconds ?? Number.POSITIVE_INFINITY) * sensor.rateHz);
  let anchor = { atMillis: clock.now(), elapsed: 0 }; // from here on the speed has been the same
  let elapsed = 0; // frames of device time, long gaps left out
  let seen = 0;
  let last: number | undefined;
  for await (const frame of sensor) {
    if (seen >= limit || signal?.aborted) return;
    const step = last === undefined ? 1 : (frame.tick - last) >>> 0;
    last = frame.tick;
    elapsed += step <= MAX_GAP_SECONDS * sensor.rateHz ? step : 1;
    seen++;
    if (seen % hopFrames === 0) {
      await turn();
      if (signal?.aborted) return;
    }
    yield frame;
  }

  /** Until the hop's last frame is due, by the control. */
  async function turn(): Promise<void> {
    for (;;) {
      const isHurried = control.pass(elapsed / sensor.rateHz);
      const { speed } = control;
      if (isHurried || control.takeStep()) {
        anchor = { atMillis: clock.now(), elapsed };
        return sleep(clock, 0, signal);
      }
      const dueMillis = anchor.atMillis + ((elapsed - anchor.elapsed) * 1000) / (sensor.rateHz * speed);
      const wait = control.isPaused ? Number.POSITIVE_INFINITY : speed === Number.POSITIVE_INFINITY ? 0 : dueMillis - clock.now();
      if (!(await isUndisturbed(wait))) {
        if (signal?.aborted) return;
        // The hop under way begins anew at the new pace; while paused no time is owed.
        anchor = { atMillis: clock.now(), elapsed: elapsed - hopFrames };
        continue;
      }
      return;
    }
  }

  /** Waits; false if the control was changed, or the signal aborted, before the time was up. */
  function isUndisturbed(millis: number): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isTimeUp: boolean): void => {
        cancel();
        stop();
        signal?.removeEventListener("abort", disturbed);
        resolve(isTimeUp);
      };
      const disturbed = (): void => end(false);
      const cancel = millis === Number.POSITIVE_INFINITY ? () => {} : clock.after(Math.max(0, millis), () => end(true));
      const stop = control.onChange(disturbed);
      signal?.addEventListener("abort", disturbed, { once: true });
    });
  }
}

/** Resolves after `millis`, or at once when the signal aborts. */
export function sleep(clock: Clock, millis: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(millis, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}
