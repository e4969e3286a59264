import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TABLES_CRC32 } from "../../../../assembly/layout.ts";
import { crc32 } from "../../../../host/core/arithmetic/crc32.ts";
import { canonicalTables } from "../../../../host/core/arithmetic/tables.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";

it("computes the CRC-32 that everyone computes", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new TextEncoder().encode("6789"), crc32(new TextEncoder().encode("12345")))).toBe(0xcbf43926);
});

it.each(["", "text"])("holds integers alone, each name once: what asc and TypeScript read alike (assembly/%s)", (folder) => {
  const source = readFileSync(join(packageRoot(), "assembly", folder, "layout.ts"), "utf8");
  const lines = source.split("\n").filter((line) => line !== "" && !line.startsWith("//"));
  const names = lines.map((line) => /^export const ([A-Z][A-Z0-9_]*) = -?(?:0x[0-9a-f]+|\d+);/.exec(line)?.[1]);
  expect(lines.filter((_, i) => names[i] === undefined)).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
});

it("sizes every static buffer by what it holds: no bare number outgrows its comment", () => {
  const folder = join(packageRoot(), "assembly");
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith(".ts"));
  const sources = files.map((file) => readFileSync(join(folder, file), "utf8"));
  expect(sources.join("\n").match(/memory\.data\(/g)!.length).toBeGreaterThan(25);
  const bare = files.flatMap((file, i) => [...sources[i]!.matchAll(/memory\.data\(\d[^)]*\)/g)].map(([found]) => `${file}: ${found}`));
  expect(bare).toEqual([]);
});

it("makes the tables that TABLES_CRC32 names", () => {
  expect(crc32(new Uint8Array(canonicalTables().buffer))).toBe(TABLES_CRC32);
});
