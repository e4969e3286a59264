import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { packageRoot } from "../../host/core/system/package-root.ts";

/** The commit that is measured, or "unknown" outside a clone. */
export function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: packageRoot(), encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

/** The processor, its cores and Node's version. */
export const machine = (): string => `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, Node ${process.version}`;
