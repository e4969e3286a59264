import { readFileSync, statSync } from "node:fs";
import { DataError } from "./errors.ts";

/** Reads a whole file. A device is refused before a byte is read: /dev/zero never ends. */
export function readWhole(path: string): Uint8Array {
  const stats = statSync(path);
  if (stats.isCharacterDevice() || stats.isBlockDevice())
    throw new DataError("NOT_A_FILE", `${path} is a device, and what it holds may never end. Give a file.`);
  return new Uint8Array(readFileSync(path));
}
