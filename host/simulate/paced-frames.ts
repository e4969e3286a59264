import type { SensorFrame } from "../agent/sensors/sensor.ts";
import type { SimulatedClock } from "./clock.ts";
import type { DaySetting } from "./setting.ts";

/**
 * The day's frames in simulated time: before the last frame of a hop the clock has come to that hop's end. `onHop` gets that time, seconds
 * of device time; false ends the day there.
 */
export async function* pacedFrames(
  { model, day }: Pick<DaySetting, "model" | "day">,
  clock: SimulatedClock,
  onHop: (atSeconds: number) => boolean,
): AsyncGenerator<SensorFrame> {
  const { hopPatches, patchFrames, frameRateMillihertz } = model.image;
  const hopFrames = hopPatches * patchFrames;
  const count = countFrames(frameRateMillihertz / 1000);
  let nextHop = hopFrames;
  for (const frame of day.frames()) {
    const { frames, seconds } = count(frame.tick);
    if (frames >= nextHop) {
      nextHop = frames - (frames % hopFrames) + hopFrames;
      await clock.advanceTo(seconds * 1000);
      if (!onHop(seconds)) return;
    }
    yield frame;
  }
}

/** Counts device time by ticks: a lost frame counts, a gap of more than a second is one frame. */
export function countFrames(rateHz: number): (tick: number) => { readonly frames: number; readonly seconds: number } {
  let frames = 0;
  let last: number | undefined;
  return (tick) => {
    const gap = last === undefined ? 1 : (tick - last) >>> 0;
    last = tick;
    frames += gap <= rateHz ? gap : 1;
    return { frames, seconds: frames / rateHz };
  };
}
