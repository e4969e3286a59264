import { exp2Neg } from "../../host/core/arithmetic/exp2-neg.ts";
import { clampS16, requantize } from "../../host/core/arithmetic/fixed-point.ts";
import type { SsmBlock } from "../../host/core/image/image-types.ts";
import { softplus } from "./softplus.ts";

/**
 * One step of the selective scan: h = a·h + Δ·B·u, y = C·h + D·u, with one decay a head.
 *   raw (nHeads) s16 Q12 · b, c (dState) s8 · u (dInner) s8 · h (dInner, dState) s32, advanced · returns y (dInner) s16
 * Core: assembly/kernels/selective-scan.ts. Source: arXiv:2405.21060 §3.
 */
export function selectiveScan(raw: Int16Array, b: Int8Array, c: Int8Array, u: Int8Array, h: Int32Array, block: SsmBlock): Int16Array {
  const { nHeads, headDim, dState, scanShift } = block;
  const y = new Int16Array(u.length);
  for (let head = 0; head < nHeads; head++) {
    const dt = softplus(raw[head]!);
    const t = Math.floor((dt * block.a[head]! + 2048) / 4096); // the product stays below 2^37
    const a = Math.min(65535, exp2Neg(t));
    const dtB = new Int32Array(dState);
    for (let n = 0; n < dState; n++) dtB[n] = (dt * b[n]! + 8) >> 4;
    for (let channel = head * headDim; channel < (head + 1) * headDim; channel++) {
      const x = u[channel]!;
      let acc = block.d[head]! * x;
      for (let n = 0; n < dState; n++) {
        const i = channel * dState + n;
        const kept = Math.floor((a * h[i]! + 32768) / 65536); // a·h < 2^47: exact
        const now = (kept + dtB[n]! * x) | 0;
        h[i] = now;
        acc = (acc + c[n]! * (now >> scanShift)) | 0;
      }
      y[channel] = clampS16(requantize(acc, block.y.multiplier, block.y.shift));
    }
  }
  return y;
}

/** g (n) s16 = (y · SiLU(z) + 64) >> 7. The one product past s16, −32768 · −128, wraps as the core's 16-bit store does. */
export function gateS16(y: Int16Array, z: Int8Array, silu: Int8Array): Int16Array {
  const g = new Int16Array(y.length);
  for (let i = 0; i < y.length; i++) g[i] = (y[i]! * silu[z[i]! + 128]! + 64) >> 7;
  return g;
}
