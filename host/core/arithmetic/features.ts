import { FIXED_KNEE_SHIFT } from "../../../assembly/layout.ts";
import type { ModelImage } from "../image/image-types.ts";
import { clampS8, requantize } from "./fixed-point.ts";

/** One frame of counts (channels) s16 to s8, each channel by its zero point, scale and knee. Core: assembly/features/imu.ts. */
export function quantiseFrame(frame: Int16Array, features: ModelImage["features"]): Int8Array {
  return Int8Array.from(frame, (count, c) => {
    const { zeroPoint, multiplier, shift, knee } = features[c]!;
    const steps = requantize(count - zeroPoint, multiplier, shift);
    const beyond = Math.abs(steps) - knee;
    if (knee === 0 || beyond <= 0) return clampS8(steps);
    return clampS8(Math.sign(steps) * (knee + Math.floor(beyond / 2 ** FIXED_KNEE_SHIFT)));
  });
}
