import { spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

/** Whether a program of the system can be started. */
export function hasProgram(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** Skips the test, with the reason, where a program of the system is missing; under DORMOUSE_REQUIRE_ALL=1 the tally fails it. */
export function needPrograms(context: TestContext, ...programs: string[]): void {
  const missing = programs.filter((program) => !hasProgram(program));
  if (missing.length > 0) context.skip(`${missing.join(", ")} not installed`);
}
