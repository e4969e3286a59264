import { LINEAR_BIAS, LINEAR_MULTIPLIER, LINEAR_N_IN, LINEAR_N_OUT, LINEAR_SHIFT, LINEAR_WEIGHTS } from "../layout";
import { word } from "../words";
import { linearS8 } from "../kernels/linear-s8";
import { requantizeAddS16, requantizeS16, requantizeS8 } from "../kernels/requantize";

// How blocks read a LINEAR record of the image. `record` points to its first word.

/** acc (nOut) s32 = W·x + b. */
export function linear(image: usize, record: usize, x: usize, acc: usize): void {
  linearS8(x, image + word(record, LINEAR_WEIGHTS), image + word(record, LINEAR_BIAS), acc, word(record, LINEAR_N_IN), word(record, LINEAR_N_OUT));
}

/** Rows [from, from + n) of acc to int8. */
export function rowsToS8(image: usize, record: usize, acc: usize, y: usize, from: i32, n: i32, lanes: bool): void {
  const i = <usize>from;
  requantizeS8(acc + (i << 2), image + word(record, LINEAR_MULTIPLIER) + (i << 2), image + word(record, LINEAR_SHIFT) + i, y, n, lanes);
}

/** Rows [from, from + n) of acc to int16. */
export function rowsToS16(image: usize, record: usize, acc: usize, y: usize, from: i32, n: i32): void {
  const i = <usize>from;
  requantizeS16(acc + (i << 2), image + word(record, LINEAR_MULTIPLIER) + (i << 2), image + word(record, LINEAR_SHIFT) + i, y, n);
}

/** residual (nOut) s16 += W·x + b. */
export function linearToResidual(image: usize, record: usize, x: usize, acc: usize, residual: usize, lanes: bool): void {
  linear(image, record, x, acc);
  requantizeAddS16(acc, image + word(record, LINEAR_MULTIPLIER), image + word(record, LINEAR_SHIFT), residual, word(record, LINEAR_N_OUT), lanes);
}
