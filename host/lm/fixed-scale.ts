import { ModelError } from "../core/system/errors.ts";
import type { Scale } from "./image-fields.ts";

/** The nearest m·2^e of a positive number, m in [2^14, 2^15). */
export function scaleOf(value: number): Scale {
  if (!(value > 0 && Number.isFinite(value)))
    throw new ModelError("BAD_SCALE", `a scale of ${value} cannot be written. Check the weights.`);
  let exponent = Math.floor(Math.log2(value)) - 14;
  let mantissa = Math.round(value / 2 ** exponent);
  if (mantissa >= 2 ** 15) mantissa = Math.round(value / 2 ** ++exponent);
  if (mantissa < 2 ** 14) mantissa = Math.round(value / 2 ** --exponent); // log2 was one too high
  return { mantissa: Math.min(mantissa, 32767), exponent };
}
