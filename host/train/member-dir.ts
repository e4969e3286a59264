import { join } from "node:path";
import type { EnsembleMember } from "./training.ts";

/** Where a member's run lies, beside the students' runs in `outDir`. */
export function memberDir(outDir: string, { name, seed }: EnsembleMember): string {
  return join(outDir, "ensemble", name, `seed-${seed}`);
}
