import type { ImuAxes } from "../../data/imu-axes.ts";
import type { Sensor } from "./sensor.ts";

const MAX_INT16 = 32_767;

/** A sensor with its axes turned: of every three channels, the body's x, y, z from the chip's. */
export function mapAxes(sensor: Sensor, axes: ImuAxes): Sensor {
  const turned = new Int16Array(sensor.channels);
  async function* frames() {
    for await (const one of sensor) {
      for (let first = 0; first + 3 <= turned.length; first += 3)
        for (const [i, axis] of axes.entries()) {
          const value = one.frame[first + Math.abs(axis) - 1]!;
          turned[first + i] = Math.min(MAX_INT16, axis < 0 ? -value : value);
        }
      yield { ...one, frame: turned };
    }
  }
  return { ...sensor, [Symbol.asyncIterator]: frames };
}
