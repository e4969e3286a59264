import { FEATURE_KNEE, FEATURE_MULTIPLIER, FEATURE_SHIFT, FEATURE_WORDS, FEATURE_ZERO_POINT, FIXED_KNEE_SHIFT } from "../layout";
import { clampS8, requantize } from "../kernels/requantize";

/** Steps beyond the knee count 2^−FIXED_KNEE_SHIFT each, rounded towards 0; knee 0 = none. Small motion keeps its resolution, large motion its range. */
// @ts-ignore: decorator
@inline
function compand(steps: i32, knee: i32): i32 {
  if (knee == 0 || (steps <= knee && steps >= -knee)) return steps;
  return steps > 0 ? knee + ((steps - knee) >> FIXED_KNEE_SHIFT) : -knee - ((-steps - knee) >> FIXED_KNEE_SHIFT);
}

/**
 * One frame of counts to int8, each channel with its own zero point, scale and knee.
 *   frame   (channels,) s16;  records (channels, FEATURE_WORDS) s32 from the image;  y (channels,) s8
 */
export function quantiseFrame(frame: usize, records: usize, y: usize, channels: i32): void {
  for (let c = 0; c < channels; c++) {
    const centred = <i32>load<i16>(frame) - load<i32>(records, FEATURE_ZERO_POINT << 2);
    const steps = requantize(centred, load<i32>(records, FEATURE_MULTIPLIER << 2), load<i32>(records, FEATURE_SHIFT << 2));
    store<i8>(y, clampS8(compand(steps, load<i32>(records, FEATURE_KNEE << 2))));
    frame += 2;
    records += FEATURE_WORDS << 2;
    y += 1;
  }
}
