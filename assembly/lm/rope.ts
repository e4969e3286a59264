import { q15 } from "./scale";

// Rotary position embedding of pairs (2j, 2j + 1), arXiv:2104.09864: angle = position · step_j, in turns of 2^32, so that positions never end.
// Oracle: test/reference/lm/rope.ts, bit-exact.

/** sin in Q14 of a phase (u32, 2^32 = one turn): an odd polynomial of the quarter turn, error ≤ 2.6 units of the last place. */
function sineQ14(phase: u32): i32 {
  let f = <i32>((phase >> 15) & 0x7fff);
  if (phase & 0x40000000) f ^= 0x7fff; // the second half of a half turn runs backwards
  const square = q15(f, f);
  const sine = q15(f, 25736 + q15(square, -10582 + q15(square, 1302 + q15(square, -71))));
  return phase & 0x80000000 ? -sine : sine;
}

/**
 * The rotation of a position, as two rows that a dot product of pairs takes.
 *   steps (pairs) u32; cosines (pairs, 2) s16 = (cos, −sin); sines (pairs, 2) s16 = (sin, cos), both Q14
 */
export function rotation(position: u32, steps: usize, cosines: usize, sines: usize, pairs: i32): void {
  for (; pairs > 0; pairs--) {
    const phase = position * load<u32>(steps);
    const sine = sineQ14(phase);
    const cosine = sineQ14(phase + 0x40000000);
    store<i16>(cosines, cosine);
    store<i16>(cosines, -sine, 2);
    store<i16>(sines, sine);
    store<i16>(sines, cosine, 2);
    steps += 4;
    cosines += 4;
    sines += 4;
  }
}

/** Rotates a (n) s16 heads of headSize each in place and halves it: the exponent grows by one. Needs: headSize a multiple of 8. */
export function rotate(a: usize, cosines: usize, sines: usize, n: i32, headSize: i32): void {
  const bytes = <usize>(headSize << 1);
  for (const end = a + <usize>(n << 1); a < end; a += bytes) {
    if (ASC_FEATURE_SIMD) {
      const half = i32x4.splat(1 << 14);
      for (let i: usize = 0; i < bytes; i += 16) {
        const v = v128.load(a + i);
        const even = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(v, v128.load(cosines + i)), half), 15);
        const odd = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(v, v128.load(sines + i)), half), 15);
        v128.store(a + i, v128.or(v128.and(even, i32x4.splat(0xffff)), i32x4.shl(odd, 16)));
      }
    } else {
      for (let i: usize = 0; i < bytes; i += 4) {
        const x = <i32>load<i16>(a + i);
        const y = <i32>load<i16>(a + i, 2);
        store<i16>(a + i, (x * <i32>load<i16>(cosines + i) + y * <i32>load<i16>(cosines + i, 2) + (1 << 14)) >> 15);
        store<i16>(a + i, (x * <i32>load<i16>(sines + i) + y * <i32>load<i16>(sines + i, 2) + (1 << 14)) >> 15, 2);
      }
    }
  }
}
