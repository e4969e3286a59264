import * as external from "./external";
import { halfOf, lookup8, requantize4 } from "./lanes";
import { clampS8, requantize } from "./requantize";

/**
 * y = SiLU(g) · u, the middle of a gated MLP.
 *   g, u (n,) s8; table (256,) s8: SiLU of g, indexed by g + 128
 *   y    (n,) s8, may be g or u; one scale for all
 * Rounding: once, half up. Oracle: test/reference/gated-mlp.ts, bit-exact. Source: arXiv:2002.05202.
 */
export function gatedS8(g: usize, u: usize, table: usize, y: usize, n: i32, multiplier: i32, shift: i32): void {
  if (isDefined(LINK_KERNELS)) return external.gatedS8(g, u, table, y, n, multiplier, shift);
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    if (shift < 0) {
      const m = i32x4.splat(multiplier);
      const places = -1 - shift;
      const half = halfOf(places);
      for (; i + 8 <= n; i += 8) {
        const gate = i16x8.shr_s(lookup8(table, g), 8);
        const up = v128.load_ext<i8>(u);
        const wide = i16x8.narrow_i32x4_s(
          requantize4(i32x4.extmul_low_i16x8_s(gate, up), m, half, places),
          requantize4(i32x4.extmul_high_i16x8_s(gate, up), m, half, places),
        );
        v128.store_lane<i64>(y, i8x16.narrow_i16x8_s(wide, wide), 0);
        g += 8;
        u += 8;
        y += 8;
      }
    }
  }
  for (; i < n; i++) {
    const gate = <i32>load<i8>(table + <usize>(<i32>load<i8>(g) + 128));
    store<i8>(y, clampS8(requantize(gate * <i32>load<i8>(u), multiplier, shift)));
    g += 1;
    u += 1;
    y += 1;
  }
}
