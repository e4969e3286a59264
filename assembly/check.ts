import * as L from "./layout";
import { Model } from "./image";
import { LANES_LEAST, LANES_SPREAD } from "./kernels/lanes";
import { between, word } from "./words";

// Checks of single values that blocks and heads share. Offsets are compared as u64, so that no sum of two wraps.

export function checkScale(multiplier: i32, shift: i32, accBound: u64): i32 {
  if (multiplier == 0) return shift == 0 ? L.STATUS_OK : L.STATUS_BAD_MULTIPLIER;
  if (multiplier < 0x40000000 || !between(shift, L.FIXED_SHIFT_MIN, L.FIXED_SHIFT_MAX)) return L.STATUS_BAD_MULTIPLIER;
  if (shift > 0 && accBound << (<u64>shift) >= 0x80000000) return L.STATUS_BAD_MULTIPLIER;
  return L.STATUS_OK;
}

/** `bytes` bytes at `offset` lie in TENSORS, aligned. */
export function inTensors(model: Model, offset: u32, bytes: u32): bool {
  return (offset & 15) == 0 && offset >= model.tensors && <u64>offset + <u64>bytes <= <u64>model.tensorsEnd;
}

/** Bias, multiplier and shift of `n` rows whose products sum to at most `products` in magnitude. */
export function checkRows(model: Model, bias: u32, multiplier: u32, shift: u32, n: i32, products: u64): i32 {
  if (!inTensors(model, bias, n << 2) || !inTensors(model, multiplier, n << 2) || !inTensors(model, shift, n)) return L.STATUS_BAD_TENSOR;
  const image = model.image;
  for (let i: usize = 0; i < <usize>n; i++) {
    const b = <i64>load<i32>(image + bias + (i << 2));
    const magnitude = <u64>(b < 0 ? -b : b);
    if (magnitude > 0x40000000) return L.STATUS_BAD_BIAS;
    const status = checkScale(load<i32>(image + multiplier + (i << 2)), <i32>load<i8>(image + shift + i), products + magnitude);
    if (status != L.STATUS_OK) return status;
  }
  return L.STATUS_OK;
}

/**
 * Clears model.lanes if one of the checked rows [0, n) cannot be requantised as a lane. A row can if it is always zero, or if the rounding
 * needs only the upper word of a product and |acc| · 2^(shift − least) stays below 2^31. Builds without SIMD do not read the flag.
 */
export function checkLanes(model: Model, bias: u32, multiplier: u32, shift: u32, n: i32, products: u64): void {
  if (!ASC_FEATURE_SIMD) return;
  const image = model.image;
  let least: i32 = LANES_LEAST;
  for (let i: usize = 0; i < <usize>n; i++) least = min<i32>(least, <i32>load<i8>(image + shift + i));
  for (let i: usize = 0; i < <usize>n; i++) {
    if (load<i32>(image + multiplier + (i << 2)) == 0) continue;
    const own = <i32>load<i8>(image + shift + i);
    const b = <i64>load<i32>(image + bias + (i << 2));
    const isNear = own <= LANES_LEAST && own - least <= LANES_SPREAD;
    if (!isNear || (products + <u64>(b < 0 ? -b : b)) << <u64>(own - least) >= 0x80000000) model.lanes = false;
  }
}

/** checkLanes of the first n rows of a checked LINEAR record. */
export function checkLinearLanes(model: Model, record: usize, n: i32): void {
  const products = <u64>word(record, L.LINEAR_N_IN) << 14;
  checkLanes(model, word(record, L.LINEAR_BIAS), word(record, L.LINEAR_MULTIPLIER), word(record, L.LINEAR_SHIFT), n, products);
}

/** A LINEAR record that must be nIn → nOut. */
export function checkLinear(model: Model, record: usize, nIn: i32, nOut: i32): i32 {
  if (word(record, L.LINEAR_N_IN) != nIn || word(record, L.LINEAR_N_OUT) != nOut) return L.STATUS_BAD_LINEAR;
  if (!between(nIn, 1, L.LIMIT_DIM) || !between(nOut, 1, L.LIMIT_LINEAR_OUT)) return L.STATUS_BAD_LINEAR;
  const stride = (nIn + 15) & ~15;
  const weights = <u32>word(record, L.LINEAR_WEIGHTS);
  if (!inTensors(model, weights, stride * nOut)) return L.STATUS_BAD_TENSOR;
  for (let row = 0; row < nOut; row++) {
    for (let i = nIn; i < stride; i++) if (load<i8>(model.image + weights + <usize>(row * stride + i)) != 0) return L.STATUS_BAD_PADDING;
  }
  const products = <u64>nIn << 14;
  return checkRows(model, word(record, L.LINEAR_BIAS), word(record, L.LINEAR_MULTIPLIER), word(record, L.LINEAR_SHIFT), nOut, products);
}

/** The LINEAR record at word `index` of a record. */
// @ts-ignore: decorator
@inline
export function linearAt(record: usize, index: i32): usize {
  return record + <usize>(index << 2);
}
