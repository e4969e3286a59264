import { canonicalTables } from "./tables.ts";

const TABLES = canonicalTables();

/** 2^−t, both u32 Q16; 0 from t ≥ 17. Core: assembly/kernels/tables.ts. */
export function exp2Neg(t: number): number {
  const n = t >>> 16;
  if (n > 16) return 0;
  const i = (t & 65535) >> 9;
  const left = TABLES[i]!;
  const v = left - (((left - TABLES[i + 1]!) * (t & 511) + 256) >> 9);
  return n === 0 ? v : (v + (1 << (n - 1))) >> n;
}
