import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../core/system/package-root.ts";

/** The version in package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version?: string };
  return version ?? "0.0.0";
}
