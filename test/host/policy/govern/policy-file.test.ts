import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readPolicy } from "../../../../host/policy/govern/policy-file.ts";

const shipped = new URL("../../../../agents/activity/policy.json", import.meta.url);

it("a policy.json with the keys `doubt` and `usualDoubt` reads as the same policy", () => {
  const policy = JSON.parse(readFileSync(shipped, "utf8"));
  const { usualDisagreement, table, ...rest } = policy;
  const { unsure, ...other } = table;
  const folder = mkdtempSync(join(tmpdir(), "dormouse-policy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "policy.json");
  writeFileSync(path, JSON.stringify({ ...rest, table: { ...other, doubt: unsure }, usualDoubt: usualDisagreement }));
  expect(readPolicy(path, policy.imageHash)).toEqual(readPolicy(shipped.pathname, policy.imageHash));
});

it("a policy.json that knows no bounds asks nothing and takes no exit away", () => {
  const { table, ...rest } = JSON.parse(readFileSync(shipped, "utf8"));
  const without = (rows: readonly Record<string, unknown>[]) => rows.map(({ mostLoss: _, ...row }) => row);
  const { leastGain: _, ...asked } = table.asked;
  const folder = mkdtempSync(join(tmpdir(), "dormouse-policy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "policy.json");
  writeFileSync(path, JSON.stringify({ ...rest, table: { sure: without(table.sure), unsure: without(table.unsure), asked } }));
  const read = readPolicy(path, rest.imageHash);
  expect(read.table.asked.leastGain).toBe(-1);
  expect([...read.table.sure, ...read.table.unsure].every(({ mostLoss }) => mostLoss === 1)).toBe(true);
});
