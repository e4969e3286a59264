import * as external from "./external";

/**
 * acc = W·x + b. int8 in, int32 accumulator out; the caller requantises.
 *   x    (nIn,)        s8   readable up to nIn rounded up to 16
 *   w    (nOut, nIn)   s8   row-major at a stride of nIn rounded up to 16, padding zero
 *   b    (nOut,)       s32
 *   acc  (nOut,)       s32  does not overlap x
 * Needs: nIn ≤ 4096, |b| ≤ 2^30, so |acc| < 2^31. Rounding: none. All pointers 16-aligned.
 * Oracle: host/core/arithmetic/linear-s8.ts, bit-exact. Source: arXiv:1712.05877 §2.3.
 */
export function linearS8(x: usize, w: usize, b: usize, acc: usize, nIn: i32, nOut: i32): void {
  if (isDefined(LINK_KERNELS)) return external.linearS8(x, w, b, acc, nIn, nOut);
  const stride = <usize>((nIn + 15) & ~15);
  const rows4 = acc + <usize>((nOut & ~3) << 2);
  const end = acc + <usize>(nOut << 2);
  // Four rows at once: x is read once for four products, and no row waits for another's sum.
  while (acc < rows4) {
    if (ASC_FEATURE_SIMD) {
      const w1 = w + stride;
      const w2 = w1 + stride;
      const w3 = w2 + stride;
      let s0 = i32x4.splat(0);
      let s1 = i32x4.splat(0);
      let s2 = i32x4.splat(0);
      let s3 = i32x4.splat(0);
      // A load that widens costs the same as a plain one, so no extend is ever a separate instruction.
      for (let i: usize = 0; i < stride; i += 16) {
        const lo = v128.load_ext<i8>(x + i);
        const hi = v128.load_ext<i8>(x + i, 8);
        const p0 = w + i;
        const p1 = w1 + i;
        const p2 = w2 + i;
        const p3 = w3 + i;
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load_ext<i8>(p0), lo));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load_ext<i8>(p1), lo));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load_ext<i8>(p2), lo));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load_ext<i8>(p3), lo));
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load_ext<i8>(p0, 8), hi));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load_ext<i8>(p1, 8), hi));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load_ext<i8>(p2, 8), hi));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load_ext<i8>(p3, 8), hi));
      }
      // Transpose-and-add: lane i of the result is the sum of row i.
      const a = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 4, 2, 6), v128.shuffle<i32>(s0, s1, 1, 5, 3, 7));
      const c = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 4, 2, 6), v128.shuffle<i32>(s2, s3, 1, 5, 3, 7));
      const sum = i32x4.add(v128.shuffle<i64>(a, c, 0, 2), v128.shuffle<i64>(a, c, 1, 3));
      v128.store(acc, i32x4.add(sum, v128.load(b)));
    } else {
      let p = x;
      let p0 = w;
      let p1 = w + stride;
      let p2 = p1 + stride;
      let p3 = p2 + stride;
      let s0 = load<i32>(b);
      let s1 = load<i32>(b, 4);
      let s2 = load<i32>(b, 8);
      let s3 = load<i32>(b, 12);
      const last = x + <usize>nIn;
      while (p < last) {
        const v = <i32>load<i8>(p);
        s0 += <i32>load<i8>(p0) * v;
        s1 += <i32>load<i8>(p1) * v;
        s2 += <i32>load<i8>(p2) * v;
        s3 += <i32>load<i8>(p3) * v;
        p++;
        p0++;
        p1++;
        p2++;
        p3++;
      }
      store<i32>(acc, s0);
      store<i32>(acc, s1, 4);
      store<i32>(acc, s2, 8);
      store<i32>(acc, s3, 12);
    }
    w += stride << 2;
    b += 16;
    acc += 16;
  }
  while (acc < end) {
    let s = load<i32>(b);
    for (let i: usize = 0; i < <usize>nIn; i++) s += <i32>load<i8>(x + i) * <i32>load<i8>(w + i);
    store<i32>(acc, s);
    w += stride;
    b += 4;
    acc += 4;
  }
}
