import { TABLE_BYTES, TABLE_EXP2_ENTRIES, TABLE_SOFTPLUS_ENTRIES } from "../../../assembly/layout.ts";

let tables: Int32Array | undefined;

/**
 * The TABLES section of every image, Q16: exp2 (TABLE_EXP2_ENTRIES), softplus (TABLE_SOFTPLUS_ENTRIES), zeros. Its CRC-32 is TABLES_CRC32.
 * The caller must not write to it.
 */
export function canonicalTables(): Int32Array {
  if (tables !== undefined) return tables;
  const words = new Int32Array(TABLE_BYTES / 4);
  for (let i = 0; i < TABLE_EXP2_ENTRIES; i++) words[i] = Math.round(65536 * 2 ** (-i / 128));
  for (let i = 0; i < TABLE_SOFTPLUS_ENTRIES; i++) words[TABLE_EXP2_ENTRIES + i] = Math.round(65536 * Math.log1p(Math.exp(-8 + i / 16)));
  tables = words;
  return words;
}
