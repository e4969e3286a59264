// What the machine gives at most, in loops that do nothing else: the roofs of the roofline in test/bench/README.md.

export function memoryBase(): usize {
  return (__heap_base + 63) & ~63;
}

/** Reads `bytes`, a multiple of 128, `passes` times, 16 at a load. Returns what keeps the loads alive. */
export function readBytes(from: usize, bytes: i32, passes: i32): i32 {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  const end = from + <usize>bytes;
  for (let pass = 0; pass < passes; pass++) {
    for (let p = from; p < end; p += 128) {
      s0 = v128.xor(s0, v128.load(p));
      s1 = v128.xor(s1, v128.load(p, 16));
      s2 = v128.xor(s2, v128.load(p, 32));
      s3 = v128.xor(s3, v128.load(p, 48));
      s0 = v128.xor(s0, v128.load(p, 64));
      s1 = v128.xor(s1, v128.load(p, 80));
      s2 = v128.xor(s2, v128.load(p, 96));
      s3 = v128.xor(s3, v128.load(p, 112));
    }
  }
  return i32x4.extract_lane(v128.xor(v128.xor(s0, s1), v128.xor(s2, s3)), 0);
}

/** 64 products and sums a round: eight sums that do not wait for each other, by the SIMD instruction that int8 kernels use. */
export function multiplySimd(rounds: i32): i32 {
  const one = i16x8.splat(1);
  const b0 = i16x8.splat(3);
  const b1 = i16x8.splat(5);
  const b2 = i16x8.splat(7);
  const b3 = i16x8.splat(9);
  let x = i16x8.splat(1);
  let z = i16x8.splat(2);
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let s4 = i32x4.splat(0);
  let s5 = i32x4.splat(0);
  let s6 = i32x4.splat(0);
  let s7 = i32x4.splat(0);
  for (let i = 0; i < rounds; i++) {
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, b0));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, b1));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, b2));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, b3));
    s4 = i32x4.add(s4, i32x4.dot_i16x8_s(z, b0));
    s5 = i32x4.add(s5, i32x4.dot_i16x8_s(z, b1));
    s6 = i32x4.add(s6, i32x4.dot_i16x8_s(z, b2));
    s7 = i32x4.add(s7, i32x4.dot_i16x8_s(z, b3));
    x = i16x8.add(x, one);
    z = i16x8.sub(z, one);
  }
  const even = v128.xor(v128.xor(s0, s2), v128.xor(s4, s6));
  const odd = v128.xor(v128.xor(s1, s3), v128.xor(s5, s7));
  return i32x4.extract_lane(v128.xor(even, odd), 0);
}

/** Four products and sums a round that do not wait for each other. `by` is odd. */
export function multiplyScalar(rounds: i32, by: i32): i32 {
  const other = by ^ 2;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let i = 0; i < rounds; i++) {
    const z = i ^ 0x55555;
    s0 += i * by;
    s1 += i * other;
    s2 += z * by;
    s3 += z * other;
  }
  return s0 ^ s1 ^ s2 ^ s3;
}
