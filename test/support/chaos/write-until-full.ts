import { closeSync, openSync, writeSync } from "node:fs";

/** Writes a file that takes what its disk has left, to the last byte. */
export function writeUntilFull(path: string): void {
  const file = openSync(path, "a");
  try {
    for (let bytes = 65_536; bytes >= 1; bytes = bytes > 1 ? Math.floor(bytes / 2) : 0) for (;;) if (writeAll(file, bytes)) break;
  } finally {
    closeSync(file);
  }
}

/** True once no more bytes fit. */
function writeAll(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes, 1)) < bytes;
  } catch {
    return true;
  }
}
