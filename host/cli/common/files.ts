import { accessSync, constants, existsSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../../core/system/errors.ts";
import { makeFolders } from "../../core/system/folder.ts";
import { systemReason } from "../../core/system/private-file.ts";

/** Runs a write to `path`; on failure throws FILE_UNWRITABLE with the reason. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined || cause instanceof ConfigError) throw cause; // no failure of the system's
    throw new ConfigError("FILE_UNWRITABLE", `cannot write ${path}: ${systemReason(cause)}. Choose another path, or make room.`, { cause });
  }
}

/** Throws FILE_UNWRITABLE if `path` is not writable; called before long work. */
export function checkWritable(path: string): void {
  writing(path, () => {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw Object.assign(new Error("it is a folder"), { code: "EISDIR" });
    accessSync(there === undefined ? `${dirname(path)}/.` : path, constants.W_OK); // the dot: a file is no folder
  });
}

/** Throws FILE_UNWRITABLE if `folder`, existing or not, is not writable. */
export function checkFolder(folder: string): void {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  writing(folder, () => accessSync(`${there}/.`, constants.W_OK));
}

/** Makes a folder, and those above it. */
export function makeFolder(folder: string): void {
  writing(folder, () => makeFolders(folder));
}

export function writeFile(path: string, content: string | Uint8Array): void {
  writing(path, () => writeFileSync(path, content));
}
