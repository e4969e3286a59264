import * as external from "./external";
import { halfOf, lookup8, requantize4, sum1, sums4 } from "./lanes";
import { clampS16, requantize } from "./requantize";
import { exp2Neg, softplus } from "./tables";

/**
 * One step of the selective scan with one decay per head: h = a·h + Δ·B·u, y = C·h + D·u, a = exp(−Δ·A), Δ = softplus(raw).
 *   raw    (nHeads,)          s16 Q12
 *   b, c   (dState,)          s8
 *   u      (dInner,)          s8    head h owns channels h·headDim …
 *   aLog2, d (nHeads,)        s32   A·log2(e) in Q12 (≥ 739); D in units of the output sum, |D| ≤ 2^22
 *   state  (dInner, dState)   s32   units su·sB, Q12; stays below 2^30 because A ≥ 1/8 and Δ ≤ 8
 *   dtB    (dState,)          s32   scratch
 *   y      (dInner,)          s16
 * Needs: scanShift ≥ 7 + ⌈log2 dState⌉, so that the sum stays below 2^30. Rounding: half up at a·h, Δ·B and y.
 * a·h is split into 16-bit halves: exact, and no 64-bit product on a Cortex-M0+.
 * Oracle: test/reference/selective-scan.ts, bit-exact. Source: arXiv:2405.21060 §3, arXiv:2312.00752 §3.
 */
export function selectiveScan(
  tables: usize, raw: usize, b: usize, c: usize, u: usize, aLog2: usize, d: usize, state: usize, dtB: usize, y: usize,
  nHeads: i32, headDim: i32, dState: i32, scanShift: i32, multiplier: i32, shift: i32,
): void {
  if (isDefined(LINK_KERNELS)) {
    return external.selectiveScan(tables, raw, b, c, u, aLog2, d, state, dtB, y, nHeads, headDim, dState, scanShift, multiplier, shift);
  }
  const states = <usize>dState;
  for (let h = 0; h < nHeads; h++) {
    const dt = softplus(tables, <i32>load<i16>(raw + <usize>(h << 1)));
    const t = <u32>((<i64>dt * <i64>load<i32>(aLog2 + <usize>(h << 2)) + 2048) >> 12);
    const a = min<u32>(65535, exp2Neg(tables, t));
    for (let n: usize = 0; n < states; n++) store<i32>(dtB + (n << 2), (dt * <i32>load<i8>(b + n) + 8) >> 4);
    const dh = load<i32>(d + <usize>(h << 2));
    let p = 0;
    if (ASC_FEATURE_SIMD) {
      if (shift < 0 && (dState & 3) == 0) {
        // Four channels at once: Δ·B and C are read once for four products.
        const row = states << 2;
        const av = i32x4.splat(a);
        const m = i32x4.splat(multiplier);
        const places = -1 - shift;
        const half = halfOf(places);
        for (; p + 4 <= headDim; p += 4) {
          const x = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(u)));
          const x0 = v128.shuffle<i32>(x, x, 0, 0, 0, 0);
          const x1 = v128.shuffle<i32>(x, x, 1, 1, 1, 1);
          const x2 = v128.shuffle<i32>(x, x, 2, 2, 2, 2);
          const x3 = v128.shuffle<i32>(x, x, 3, 3, 3, 3);
          let s0 = i32x4.splat(0);
          let s1 = s0;
          let s2 = s0;
          let s3 = s0;
          for (let n: usize = 0; n < states; n += 4) {
            const wide = v128.load(dtB + (n << 2));
            const cv = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(c + n)));
            const s = state + (n << 2);
            s0 = i32x4.add(s0, i32x4.mul(cv, i32x4.shr_s(scan4(s, av, i32x4.mul(wide, x0)), scanShift)));
            s1 = i32x4.add(s1, i32x4.mul(cv, i32x4.shr_s(scan4(s + row, av, i32x4.mul(wide, x1)), scanShift)));
            s2 = i32x4.add(s2, i32x4.mul(cv, i32x4.shr_s(scan4(s + (row << 1), av, i32x4.mul(wide, x2)), scanShift)));
            s3 = i32x4.add(s3, i32x4.mul(cv, i32x4.shr_s(scan4(s + 3 * row, av, i32x4.mul(wide, x3)), scanShift)));
          }
          const acc = i32x4.add(sums4(s0, s1, s2, s3), i32x4.mul(i32x4.splat(dh), x));
          const wide = requantize4(acc, m, half, places);
          v128.store_lane<i64>(y, i16x8.narrow_i32x4_s(wide, wide), 0);
          state += row << 2;
          u += 4;
          y += 8;
        }
      }
    }
    for (; p < headDim; p++) {
      const x = <i32>load<i8>(u);
      let acc = dh * x;
      let n: usize = 0;
      if (ASC_FEATURE_SIMD) {
        const av = i32x4.splat(a);
        const xv = i32x4.splat(x);
        let sum = i32x4.splat(0);
        for (; n + 4 <= states; n += 4) {
          const now = scan4(state + (n << 2), av, i32x4.mul(v128.load(dtB + (n << 2)), xv));
          const cv = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(c + n)));
          sum = i32x4.add(sum, i32x4.mul(cv, i32x4.shr_s(now, scanShift)));
        }
        acc += sum1(sum);
      }
      for (; n < states; n++) {
        const s = state + (n << 2);
        const old = load<i32>(s);
        const kept = <i32>a * (old >> 16) + <i32>((a * (<u32>old & 65535) + 32768) >> 16);
        const now = kept + load<i32>(dtB + (n << 2)) * x;
        store<i32>(s, now);
        acc += <i32>load<i8>(c + n) * (now >> scanShift);
      }
      store<i16>(y, clampS16(requantize(acc, multiplier, shift)));
      state += states << 2;
      u += 1;
      y += 2;
    }
  }
}

/** Four states at `s`: (a·h + 2^15) >> 16 plus what is new. Keeps and returns them. */
// @ts-ignore: decorator
@inline
function scan4(s: usize, a: v128, add: v128): v128 {
  const old = v128.load(s);
  const low = i32x4.add(i32x4.mul(a, v128.and(old, i32x4.splat(65535))), i32x4.splat(32768));
  const now = i32x4.add(i32x4.add(i32x4.mul(a, i32x4.shr_s(old, 16)), i32x4.shr_u(low, 16)), add);
  v128.store(s, now);
  return now;
}

/**
 * g = (y · SiLU(z) + 64) >> 7, in place. y (n,) s16, z (n,) s8, table (256,) s8 indexed by z + 128. The norm that follows ignores scale.
 * `lanes`: no entry of the table is −128, so that no product needs more than its 16 bits.
 */
export function gateS16(y: usize, z: usize, table: usize, n: i32, lanes: bool): void {
  if (isDefined(LINK_KERNELS)) return external.gateS16(y, z, table, n);
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    if (lanes) {
      for (; i + 8 <= n; i += 8) {
        v128.store(y, i16x8.q15mulr_sat_s(v128.load(y), lookup8(table, z))); // (y · 256 SiLU + 2^14) >> 15
        y += 16;
        z += 8;
      }
    }
  }
  for (; i < n; i++) {
    const gate = <i32>load<i8>(table + <usize>(<i32>load<i8>(z) + 128));
    store<i16>(y, (<i32>load<i16>(y) * gate + 64) >> 7);
    y += 2;
    z += 1;
  }
}
