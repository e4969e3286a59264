import * as layout from "../../../assembly/layout.ts";
import { imageError } from "./image-header.ts";
import type { FixedScale, LinearTensors } from "./tensor-types.ts";

// Checks of single values of an image; assembly/validate.ts makes the same ones. Around them the host alone also checks SHA-256, unused
// bytes, the counts of tables and tensors, and the manifest: the core takes what is safe to run. `where` names the value for the message.

/** Bound of a row's |bias|: with it no sum of products leaves s32. */
const BIAS_LIMIT = 2 ** 30;
/** |s8 · s8| ≤ 2^14. */
export const PRODUCT_LIMIT = 2 ** 14;

export function requireBetween(status: number, where: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw imageError(status, `${where} is ${value}, ${least} … ${most} is possible`);
}

/** A multiplier and shift that are applied to sums of at most `accBound` in magnitude. */
export function requireScale(where: string, { multiplier, shift }: FixedScale, accBound: number): void {
  if (multiplier === 0 && shift === 0) return;
  requireBetween(layout.STATUS_BAD_MULTIPLIER, `${where}: multiplier`, multiplier, 2 ** 30, 2 ** 31 - 1);
  requireBetween(layout.STATUS_BAD_MULTIPLIER, `${where}: shift`, shift, layout.FIXED_SHIFT_MIN, layout.FIXED_SHIFT_MAX);
  if (shift > 0 && accBound * 2 ** shift >= 2 ** 31) {
    throw imageError(layout.STATUS_BAD_MULTIPLIER, `${where}: shift ${shift} overflows a sum of ${accBound}`);
  }
}

export function requireLength(where: string, array: { readonly length: number }, length: number): void {
  if (array.length !== length) throw imageError(layout.STATUS_BAD_TENSOR, `${where} has ${array.length} elements, not ${length}`);
}

/** Bias, multiplier and shift of `n` rows whose products sum to at most `products` in magnitude. */
export function requireRows(
  where: string,
  rows: { readonly bias: Int32Array; readonly multiplier: Int32Array; readonly shift: Int8Array },
  n: number,
  products: number,
): void {
  requireLength(`${where}: bias`, rows.bias, n);
  requireLength(`${where}: multiplier`, rows.multiplier, n);
  requireLength(`${where}: shift`, rows.shift, n);
  for (let i = 0; i < n; i++) {
    const magnitude = Math.abs(rows.bias[i]!);
    if (magnitude > BIAS_LIMIT) throw imageError(layout.STATUS_BAD_BIAS, `${where}: row ${i} has bias ${rows.bias[i]}`);
    requireScale(`${where}: row ${i}`, { multiplier: rows.multiplier[i]!, shift: rows.shift[i]! }, products + magnitude);
  }
}

/** A linear's dimensions are those of its place, and within the limits. */
export function requireShape(where: string, linear: Pick<LinearTensors, "nIn" | "nOut">, nIn: number, nOut: number): void {
  if (linear.nIn !== nIn || linear.nOut !== nOut) {
    throw imageError(layout.STATUS_BAD_LINEAR, `${where} is ${linear.nIn} → ${linear.nOut}, must be ${nIn} → ${nOut}`);
  }
  requireBetween(layout.STATUS_BAD_LINEAR, `${where}: nIn`, nIn, 1, layout.LIMIT_DIM);
  requireBetween(layout.STATUS_BAD_LINEAR, `${where}: nOut`, nOut, 1, layout.LIMIT_LINEAR_OUT);
}

export function requireLinear(where: string, linear: LinearTensors, nIn: number, nOut: number): void {
  requireShape(where, linear, nIn, nOut);
  requireLength(`${where}: weights`, linear.weights, nIn * nOut);
  requireRows(where, linear, nOut, nIn * PRODUCT_LIMIT);
}
