import { clampS8, requantize } from "../fixed-point.ts";
import type { ModelImage } from "../image-types.ts";

/** One frame of counts (channels) s16 to s8, each channel by its zero point and scale. Core: assembly/features/imu.ts. */
export function quantiseFrame(frame: Int16Array, features: ModelImage["features"]): Int8Array {
  return Int8Array.from(frame, (count, c) => {
    const { zeroPoint, multiplier, shift } = features[c]!;
    return clampS8(requantize(count - zeroPoint, multiplier, shift));
  });
}
