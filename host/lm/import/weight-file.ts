import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { systemReason } from "../../core/system/private-file.ts";
import { CheckpointError } from "./checkpoint-error.ts";

/** A file of weights that is read range by range, never as a whole. */
export type WeightFile = {
  readonly path: string;
  readonly byteLength: number;
  /** Bytes at…at+length−1. Throws CHECKPOINT_SHORT if the file ends before; `what` names what was to be read. */
  read(at: number, length: number, what: string): Uint8Array;
  close(): void;
};

/** Opens a regular file for reading. Throws CHECKPOINT_UNREADABLE. */
export function openWeightFile(path: string): WeightFile {
  const unreadable = (reason: string, cause?: unknown): CheckpointError =>
    new CheckpointError("CHECKPOINT_UNREADABLE", `cannot read ${path}: ${reason}. Give the path of a file.`, { cause });
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (cause) {
    throw unreadable(systemReason(cause), cause);
  }
  const stats = fstatSync(fd);
  if (!stats.isFile()) {
    closeSync(fd);
    throw unreadable("it is no regular file");
  }
  const byteLength = stats.size;
  return {
    path,
    byteLength,
    read(at, length, what) {
      const short = (): CheckpointError =>
        new CheckpointError(
          "CHECKPOINT_SHORT",
          `${path}: ${what} lies at ${at}…${at + length}, but the file has ${byteLength} bytes. Copy the file again, whole.`,
        );
      if (at + length > byteLength) throw short(); // before anything is allocated
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const got = readSync(fd, bytes, filled, length - filled, at + filled);
        if (got === 0) throw short(); // somebody cuts the file while it is read
        filled += got;
      }
      return bytes;
    },
    close: () => closeSync(fd),
  };
}
