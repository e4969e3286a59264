import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { MqttError } from "../../core/system/errors.ts";
import { systemReason } from "../../core/system/private-file.ts";

/**
 * Takes the lines from `fromMillis` (wall time) on out of a JSONL ledger, in place: who has the file open appends to what is left.
 * A line that cannot be read stays. Returns how many lines are gone. A file that is not there has none.
 */
export function forgetLedger(path: string, fromMillis: number): number {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDWR | (constants.O_NONBLOCK ?? 0));
    if (!fstatSync(descriptor).isFile()) return 0; // a pipe keeps nothing
    const lines = readFileSync(descriptor, "utf8").split("\n");
    const kept = lines.filter((line) => !isFrom(line, fromMillis));
    if (kept.length === lines.length) return 0;
    const bytes = Buffer.from(kept.join("\n"));
    ftruncateSync(descriptor, 0);
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, at);
    return lines.length - kept.length;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw new MqttError("LEDGER_UNWRITABLE", `the ledger ${path} keeps its lines: ${systemReason(cause)}. Remove it by hand.`, { cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function isFrom(line: string, fromMillis: number): boolean {
  try {
    const { wallMillis } = JSON.parse(line) as { wallMillis?: unknown };
    return typeof wallMillis === "number" && wallMillis >= fromMillis;
  } catch {
    return false;
  }
}
