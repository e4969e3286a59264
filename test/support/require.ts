import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../host/core/package-root.ts";

/** True where a skip counts as a failure. */
export const requireAll = process.env.DORMOUSE_REQUIRE_ALL === "1";

let data: string | undefined | null = null;

/**
 * The folder with the unpacked recordings: DORMOUSE_DATA, or ../shared/data unpacked into the temporary folder.
 * Undefined where there is neither.
 */
export function dataDir(): string | undefined {
  if (data !== null) return data;
  const given = process.env.DORMOUSE_DATA;
  const tool = join(packageRoot(), "..", "shared", "tools", "unpack-data");
  if (given !== undefined) {
    data = given;
  } else if (existsSync(tool)) {
    data = join(tmpdir(), "dormouse-data");
    mkdirSync(data, { recursive: true });
    if (!existsSync(join(data, "tinystories-sample.txt"))) execFileSync(tool, [data], { stdio: "ignore" });
  } else {
    data = undefined;
  }
  return data;
}

export const noData = "no recordings: set DORMOUSE_DATA to a folder with HAPT/ in it";
