import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { ConfigError } from "./errors.ts";

/** Readable by its owner alone. */
const PRIVATE_MODE = 0o600;
/** Largest key, certificate or state file that is read: none comes near it. */
const MAX_FILE_BYTES = 65_536;

/** Makes a folder that only its owner enters; one that is there stays as it is. */
export function makePrivateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ConfigError("FOLDER_UNWRITABLE", `cannot make ${folder}: ${systemReason(cause)}. Choose another folder.`, { cause });
  }
}

/**
 * Writes a file whole or not at all, also through a power cut: temporary file, fsync, rename, fsync of the folder. A private one
 * is never, not for a moment, readable by others; a new one takes no other's place: of two writers at once one throws.
 */
export function writeWhole(
  path: string,
  content: string | Uint8Array,
  options: { readonly isPrivate?: boolean; readonly isNew?: boolean } = {},
): void {
  const mode = options.isPrivate ? PRIVATE_MODE : 0o644;
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  try {
    const file = openSync(temporary, "w", mode);
    try {
      chmodSync(temporary, mode); // a left-over of an earlier try may have another mode
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (options.isNew) moveToFree(temporary, path);
    else renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    removeQuietly(temporary); // it may hold a key, or the last room of a full disk
    throw new ConfigError("FILE_UNWRITABLE", `cannot write ${path}: ${systemReason(cause)}. Make room, or choose another folder.`, {
      cause,
    });
  }
}

/** Reads a small text file. What it holds never gets into a message. */
export function readSmall(path: string, what: string, mend: string): string {
  try {
    const { size } = statSync(path);
    if (size <= MAX_FILE_BYTES) return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError("FILE_UNREADABLE", `cannot read ${what} ${path}: ${systemReason(cause)}. ${mend}`, { cause });
  }
  throw new ConfigError("FILE_UNREADABLE", `${what} ${path} is larger than ${MAX_FILE_BYTES} B. ${mend}`);
}

/** Reads a private key's PEM, and refuses one that others can read (where the system has such modes). */
export function readPrivate(path: string, what: string, mend: string): string {
  const text = readSmall(path, what, mend);
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new ConfigError("KEY_EXPOSED", `${what} ${path} can be read by others. Take that away: chmod 600 ${path}.`);
  }
  return text;
}

/** Whether any of the files is there already. */
export function firstExisting(folder: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path));
}

/** A rename that throws EEXIST where the name is taken. Where names cannot be linked (FAT), the moment between look and rename is open. */
function moveToFree(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST" || existsSync(to)) throw cause;
    renameSync(from, to);
    return;
  }
  unlinkSync(from);
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or has its name already.
  }
}

function syncFolder(folder: string): void {
  if (process.platform === "win32") return; // folders cannot be opened there
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "it is not allowed",
  EEXIST: "a file is in the way",
  EISDIR: "it is a folder",
  ENOENT: "there is no such folder or file",
  ENOSPC: "the disk is full",
  ENOTDIR: "a file is in the way",
  EROFS: "the disk is read-only",
};

/** Why the system refused, in words and as it says it. */
export function systemReason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === undefined) return message ?? "unknown reason";
  return REASONS[code] === undefined ? code : `${REASONS[code]} (${code})`;
}
