import { q15, within } from "./number.ts";

/** 2^−f in Q15 of the fraction of z (Q11). */
export function exp2Fraction(z: number): number {
  const f = (z % 2048) * 16;
  const step = (coefficient: number, p: number): number => within("exp2", coefficient + q15(f, p), 32767, -32768);
  return step(32766, step(-22643, step(7539, -1278)));
}

/** 2^−z in Q14, z in Q11. */
export function exp2Neg(z: number): number {
  within("z", z, 32767, 0);
  const n = Math.floor(z / 2048);
  return within("2^−z", Math.floor((exp2Fraction(z) + 2 ** n) / 2 ** (n + 1)), 16383, 0);
}

/** σ(|x|) in Q15 from 2^−|x|·log2(e) in Q14. */
export function sigmoid(power: number): number {
  const w = within("w", 2 * power - 16384, 16384);
  const step = (coefficient: number, p: number): number => within("sigmoid", coefficient + q15(w, p), 32767, -32768);
  return within("sigmoid", step(21848, step(-14497, step(9589, step(-7490, 5296)))), 32761, 16392);
}

/** sin in Q14 of a phase in 2^−32 turns. */
export function sine(phase: number): number {
  const quarter = Math.floor(phase / 2 ** 30);
  let f = Math.floor(phase / 2 ** 15) % 2 ** 15;
  if (quarter % 2 === 1) f = 32767 - f;
  const x = q15(f, f);
  const s = q15(f, 25736 + q15(x, -10582 + q15(x, 1302 + q15(x, -71))));
  return within("sine", quarter >= 2 ? -s : s, 16386);
}

/** (cos, sin) in Q14 of each pair at a position. */
export function rotation(position: number, steps: Uint32Array): { readonly cosine: number; readonly sine: number }[] {
  return [...steps].map((step) => {
    const phase = Math.imul(position, step) >>> 0;
    return { cosine: sine((phase + 2 ** 30) % 2 ** 32), sine: sine(phase) };
  });
}
