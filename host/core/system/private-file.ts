import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "./errors.ts";
import { makeFolders } from "./folder.ts";

/** Readable by its owner alone. */
export const PRIVATE_MODE = 0o600;
const PRIVATE_FOLDER_MODE = 0o700;
/** Largest key, certificate or state file that is read: none comes near it. */
const MAX_FILE_BYTES = 65_536;

/**
 * Makes a folder that only its owner enters. One that is there is closed to others if it is ours alone: empty, or without folders and
 * with a file whose name ends with `mark`. Any other (a home, /tmp, the working folder) stays as it is.
 */
export function makePrivateFolder(folder: string, options: { readonly mark?: string } = {}): void {
  try {
    if (makeFolders(folder, PRIVATE_FOLDER_MODE) !== undefined || options.mark === undefined) return;
    const { mode, uid } = statSync(folder);
    const isOpenToOthers = (mode & 0o077) !== 0 && (mode & 0o1000) === 0 && uid === process.geteuid?.();
    if (isOpenToOthers && resolve(folder) !== process.cwd() && isOursAlone(folder, options.mark)) chmodSync(folder, PRIVATE_FOLDER_MODE);
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
  const temporary = join(dirname(path), `.dormouse-${randomBytes(8).toString("hex")}.part`);
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  try {
    const file = openSync(temporary, "wx", mode); // a file or link of that name, whoever laid it there, is an error
    try {
      fchmodSync(file, mode); // whatever the umask took away
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

/** Closes an open file of ours to others; never a device, whose mode is everybody's. */
export function closeToOthers(file: number, stats: Stats = fstatSync(file)): void {
  if (stats.isFile() && stats.uid === process.geteuid?.()) fchmodSync(file, PRIVATE_MODE);
}

/** Reads a small text file. What it holds never gets into a message. */
export function readSmall(path: string, what: string, mend: string): string {
  return readChecked(path, what, mend, () => undefined);
}

/** Reads a private key's PEM or a password, and refuses a file that others can read or own (where the system has such modes). */
export function readPrivate(path: string, what: string, mend: string): string {
  return readChecked(path, what, mend, ({ mode, uid }) => {
    const user = process.geteuid?.();
    if (user === undefined) return;
    if ((mode & 0o077) !== 0)
      throw new ConfigError("KEY_EXPOSED", `${what} ${path} can be read by others. Take that away: chmod 600 ${path}.`);
    if (user !== 0 && uid !== user && uid !== 0)
      throw new ConfigError("KEY_FOREIGN", `${what} ${path} belongs to another user, who can change it. Make a copy of your own.`);
  });
}

/** Opens once, checks what was opened, and reads that: nothing can take its place in between. */
function readChecked(path: string, what: string, mend: string, check: (stats: Stats) => void): string {
  const refuse = (why: string) => new ConfigError("FILE_UNREADABLE", `${what} ${path} ${why}. ${mend}`);
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a pipe without a writer does not block
    const stats = fstatSync(file);
    if (!stats.isFile()) throw refuse("is not a regular file");
    if (stats.size > MAX_FILE_BYTES) throw refuse(`is larger than ${MAX_FILE_BYTES} B`);
    check(stats);
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError("FILE_UNREADABLE", `cannot read ${what} ${path}: ${systemReason(cause)}. ${mend}`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
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

function isOursAlone(folder: string, mark: string): boolean {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.length === 0 || (entries.some(({ name }) => name.endsWith(mark)) && entries.every((entry) => !entry.isDirectory()));
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
  EMFILE: "too many files are open in this process",
  ENFILE: "too many files are open on this machine",
  ENOENT: "there is no such folder or file",
  ENOSPC: "the disk is full",
  ENOTDIR: "a file is in the way",
  EROFS: "the disk is read-only",
};

/** The system's reason for a refusal, in words and as its code. */
export function systemReason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === undefined) return message ?? "unknown reason";
  return REASONS[code] === undefined ? code : `${REASONS[code]} (${code})`;
}
