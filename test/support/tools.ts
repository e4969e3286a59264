import type { TestContext } from "vitest";
import { hasTool, type ToolName } from "../../host/firmware/c/tools.ts";

/** Skips the test, with the reason, where one of the programs is not installed; under DORMOUSE_REQUIRE_ALL=1 the tally fails it. */
export function needTools(context: TestContext, ...tools: ToolName[]): void {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length > 0) context.skip(`${missing.join(", ")} not installed`);
}
