import type { Clock } from "../../core/system/clock.ts";
import type { Sensor, SensorFrame } from "./sensor.ts";

export interface PaceOptions {
  readonly clock: Clock;
  /** Sensor seconds per second; Infinity = unpaced. */
  readonly speed: number;
  /** Frames between two sleeps: a hop. */
  readonly hopFrames: number;
  /** Stops after so many sensor seconds. Default: never. */
  readonly seconds?: number;
  /** Stops at the next frame, waking from a sleep. */
  readonly signal?: AbortSignal;
}

/** A longer gap in the ticks is not waited for. */
const MAX_GAP_SECONDS = 1;

/** Passes frames on at the pace of their ticks: it sleeps once a hop, until the hop's last frame is due, and never drifts. */
export async function* paced(sensor: Sensor, options: PaceOptions): AsyncGenerator<SensorFrame> {
  const { clock, speed, hopFrames, signal } = options;
  const millisPerFrame = 1000 / (sensor.rateHz * speed);
  const limit = Math.round((options.seconds ?? Number.POSITIVE_INFINITY) * sensor.rateHz);
  const start = clock.now();
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
      const wait = speed === Number.POSITIVE_INFINITY ? 0 : start + elapsed * millisPerFrame - clock.now();
      await sleep(clock, Math.max(0, wait), signal);
      if (signal?.aborted) return;
    }
    yield frame;
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
