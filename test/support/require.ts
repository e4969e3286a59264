import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../host/core/system/package-root.ts";

/** True where a skip counts as a failure. */
export const requireAll = process.env.DORMOUSE_REQUIRE_ALL === "1";

let data: string | undefined | null = null;

/**
 * The folder with the unpacked recordings: DORMOUSE_DATA, or ../shared/data unpacked into the temporary folder: once per
 * run, before any worker starts (setup.ts). Undefined where there is neither.
 */
export function dataDir(): string | undefined {
  if (data !== null) return data;
  const given = process.env.DORMOUSE_DATA;
  const tool = join(packageRoot(), "..", "shared", "tools", "unpack-data");
  if (given !== undefined) {
    data = given;
  } else {
    data = existsSync(tool) ? unpacked(tool) : undefined;
  }
  return data;
}

/** Unpacks beside the folder and renames: it is never there in part. Undefined where the programs that unpack are missing. */
function unpacked(tool: string): string | undefined {
  const folder = join(tmpdir(), "dormouse-data");
  if (existsSync(join(folder, "tinystories-sample.txt"))) return folder;
  const fresh = mkdtempSync(`${folder}-`);
  try {
    execFileSync(tool, [fresh], { stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
    return folder;
  } catch {
    return undefined;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

export const noData = "no recordings: set DORMOUSE_DATA to a folder with HAPT/ in it";
