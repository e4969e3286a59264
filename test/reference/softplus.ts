import { TABLE_EXP2_ENTRIES } from "../../assembly/layout.ts";
import { canonicalTables } from "../../host/core/arithmetic/tables.ts";

const TABLE = canonicalTables().subarray(TABLE_EXP2_ENTRIES);

/** ln(1 + e^raw): raw s16 Q12 in, s32 Q16 out. Core: assembly/kernels/tables.ts. */
export function softplus(raw: number): number {
  const u = raw + 32768;
  const i = u >> 8;
  const left = TABLE[i]!;
  return left + (((TABLE[i + 1]! - left) * (u & 255) + 128) >> 8);
}
