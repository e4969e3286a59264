import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ABI_HASH, TABLES_CRC32 } from "../../../assembly/layout.ts";
import { crc32 } from "../../../host/core/crc32.ts";
import { packageRoot } from "../../../host/core/package-root.ts";
import { canonicalTables } from "../../../host/core/tables.ts";

const ABI_PREFIXES = /^(IMAGE|HEADER|SECTION|CONFIG|FEATURE|LINEAR|BLOCK|SSM|ATTENTION|EXIT|TABLE|FIXED)_/;

it("computes the CRC-32 that everyone computes", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new TextEncoder().encode("6789"), crc32(new TextEncoder().encode("12345")))).toBe(0xcbf43926);
});

it("changes ABI_HASH when a line of the image format changes", () => {
  const source = readFileSync(join(packageRoot(), "assembly", "layout.ts"), "utf8");
  const format = source.slice(0, source.indexOf("// CRC-32 of every IMAGE_"));
  const lines = [...format.matchAll(/^export const (\w+) = (-?\w+);/gm)]
    .filter(([, name]) => ABI_PREFIXES.test(name!))
    .map(([, name, value]) => `${name}=${Number(value)}\n`);
  expect(lines.length).toBeGreaterThan(90);
  expect(crc32(new TextEncoder().encode(lines.join("")))).toBe(ABI_HASH);
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
