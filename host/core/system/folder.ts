import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder and those above it, each with `mode`. Returns the first that was made; undefined if all were there. Throws what the
 * system says. Node's own recursive mkdir never returns below a folder that answers ENOENT, as /proc and automounts do.
 */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  const missing: string[] = [];
  for (let at = resolve(path); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) missing.unshift(at);
  if (missing.length === 0) missing.push(resolve(path)); // a file in its place is an error
  return missing.filter((folder) => makeOne(folder, mode))[0];
}

/** Whether it was not there before: another process may be as fast. */
function makeOne(folder: string, mode: number): boolean {
  try {
    mkdirSync(folder, { mode });
    return true;
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
    throw error;
  }
}
