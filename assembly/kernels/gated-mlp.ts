import * as external from "./external";
import { clampS8, requantize } from "./requantize";

/**
 * y = SiLU(g) · u, the middle of a gated MLP.
 *   g, u (n,) s8; table (256,) s8: SiLU of g, indexed by g + 128
 *   y    (n,) s8, may be g or u; one scale for all
 * Rounding: once, half up. Oracle: test/reference/gated-mlp.ts, bit-exact. Source: arXiv:2002.05202.
 */
export function gatedS8(g: usize, u: usize, table: usize, y: usize, n: i32, multiplier: i32, shift: i32): void {
  if (isDefined(LINK_KERNELS)) return external.gatedS8(g, u, table, y, n, multiplier, shift);
  for (let i = 0; i < n; i++) {
    const gate = <i32>load<i8>(table + <usize>(<i32>load<i8>(g) + 128));
    store<i8>(y, clampS8(requantize(gate * <i32>load<i8>(u), multiplier, shift)));
    g += 1;
    u += 1;
    y += 1;
  }
}
