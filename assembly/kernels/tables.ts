import { TABLE_EXP2_ENTRIES } from "../layout";

/**
 * 2^−t for t ≥ 0, both u32 Q16. `tables` is the image's TABLES section. 16 significant bits, result 0 from t ≥ 17.
 * Oracle: host/core/arithmetic/exp2-neg.ts, bit-exact.
 */
export function exp2Neg(tables: usize, t: u32): u32 {
  const n = t >> 16;
  if (n > 16) return 0;
  const entry = tables + <usize>(((t & 65535) >> 9) << 2);
  const left = load<u32>(entry);
  const v = left - (((left - load<u32>(entry, 4)) * (t & 511) + 256) >> 9);
  return n == 0 ? v : (v + ((<u32>1) << (n - 1))) >> n;
}

/** softplus(raw): raw s16 Q12 in, Q16 out in [0, 8.0004]. Oracle: test/reference/softplus.ts, bit-exact. */
export function softplus(tables: usize, raw: i32): i32 {
  const u = raw + 32768;
  const entry = tables + (TABLE_EXP2_ENTRIES << 2) + <usize>((u >> 8) << 2);
  const left = load<i32>(entry);
  return left + (((load<i32>(entry, 4) - left) * (u & 255) + 128) >> 8);
}
