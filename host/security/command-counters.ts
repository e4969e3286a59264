import { existsSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "../core/system/errors.ts";
import { readSmall, writeWhole } from "../core/system/private-file.ts";
import { highestCounter } from "../mqtt/commands/counter-range.ts";

const MEND = "Remove it: counters go on from the clock.";
const schema = z.record(z.string(), z.int().min(0).max(Number.MAX_SAFE_INTEGER));

/**
 * The next counter for a node: the wall clock in milliseconds, or one above the last where the clock has not moved on (or went
 * back). A last one far ahead of the clock, which nodes refuse, was a wrong clock's and counts as none. So operators on several machines need no common counter, and one who lost this file goes on. Kept before it is used.
 */
export function nextCounter(path: string, name: string, wallMillis: number): number {
  const last = read(path);
  const before = last[name] ?? 0;
  const next = Math.max(Math.floor(wallMillis), before > highestCounter(wallMillis, 0) ? 0 : before + 1);
  writeWhole(path, `${JSON.stringify({ ...last, [name]: next }, undefined, 2)}\n`, { isPrivate: true });
  return next;
}

function read(path: string): Readonly<Record<string, number>> {
  if (!existsSync(path)) return {};
  try {
    return schema.parse(JSON.parse(readSmall(path, "the command counters", MEND)));
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError("COUNTERS_INVALID", `${path} does not hold command counters. ${MEND}`, { cause });
  }
}
