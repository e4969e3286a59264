import { FEATURE_MULTIPLIER, FEATURE_SHIFT, FEATURE_WORDS, FEATURE_ZERO_POINT } from "../layout";
import { clampS8, requantize } from "../kernels/requantize";

/**
 * One frame of counts to int8, each channel with its own zero point and scale.
 *   frame   (channels,) s16;  records (channels, FEATURE_WORDS) s32 from the image;  y (channels,) s8
 */
export function quantiseFrame(frame: usize, records: usize, y: usize, channels: i32): void {
  for (let c = 0; c < channels; c++) {
    const centred = <i32>load<i16>(frame) - load<i32>(records, FEATURE_ZERO_POINT << 2);
    store<i8>(y, clampS8(requantize(centred, load<i32>(records, FEATURE_MULTIPLIER << 2), load<i32>(records, FEATURE_SHIFT << 2))));
    frame += 2;
    records += FEATURE_WORDS << 2;
    y += 1;
  }
}
