/**
 * acc = Σ table[rows[i]]: the sum of a bag of features.
 *   table (nRows, n)  s8   row-major, n a multiple of 16
 *   rows  (count,)    u32  below nRows
 *   acc   (n,)        s32  does not overlap the others
 * Needs: count ≤ 65536, so |acc| < 2^24. Rounding: none. All pointers 16-aligned. Oracle: test/reference/text.ts, bit-exact.
 */
export function bagS8(table: usize, rows: usize, count: i32, acc: usize, n: i32): void {
  const last = rows + <usize>(count << 2);
  if (ASC_FEATURE_SIMD) {
    for (let column: usize = 0; column < <usize>n; column += 16) {
      let s0 = i32x4.splat(0);
      let s1 = i32x4.splat(0);
      let s2 = i32x4.splat(0);
      let s3 = i32x4.splat(0);
      for (let p = rows; p < last; p += 4) {
        const row = table + <usize>(load<u32>(p) * <u32>n) + column;
        const lo = v128.load_ext<i8>(row);
        const hi = v128.load_ext<i8>(row, 8);
        s0 = i32x4.add(s0, i32x4.extend_low_i16x8_s(lo));
        s1 = i32x4.add(s1, i32x4.extend_high_i16x8_s(lo));
        s2 = i32x4.add(s2, i32x4.extend_low_i16x8_s(hi));
        s3 = i32x4.add(s3, i32x4.extend_high_i16x8_s(hi));
      }
      const y = acc + (column << 2);
      v128.store(y, s0);
      v128.store(y, s1, 16);
      v128.store(y, s2, 32);
      v128.store(y, s3, 48);
    }
  } else {
    memory.fill(acc, 0, <usize>n << 2);
    for (let p = rows; p < last; p += 4) {
      const row = table + <usize>(load<u32>(p) * <u32>n);
      for (let i: usize = 0; i < <usize>n; i++) {
        const y = acc + (i << 2);
        store<i32>(y, load<i32>(y) + <i32>load<i8>(row + i));
      }
    }
  }
}
