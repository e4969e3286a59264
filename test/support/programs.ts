import { spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

/** Skips the test, with the reason, where a program of the system is missing; under DORMOUSE_REQUIRE_ALL=1 the tally fails it. */
export function needPrograms(context: TestContext, ...programs: string[]): void {
  const missing = programs.filter((program) => spawnSync(program, ["--version"], { stdio: "ignore" }).error !== undefined);
  if (missing.length > 0) context.skip(`${missing.join(", ")} not installed`);
}
