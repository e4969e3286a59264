import type { Reporter, TestModule } from "vitest/node";

/** Closes a run with one plain line, and says which tests were skipped and why. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let passed = 0;
    let failed = 0;
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.state() === "failed" && [...module.children.allTests("failed")].length === 0) failed += 1;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === "passed") passed += 1;
        else if (state === "failed") failed += 1;
        else skipped.push(`${test.fullName}${noteOf(test.result() as { state: string; note?: string })}`);
      }
    }
    for (const line of skipped) console.log(`skipped: ${line}`);
    const lacking = process.env.DORMOUSE_REQUIRE_ALL === "1" && skipped.length > 0;
    if (lacking) {
      console.log("DORMOUSE_REQUIRE_ALL=1: a skipped test is a failure.");
      process.exitCode = 1;
    }
    console.log(`${passed} passed, ${failed + (lacking ? skipped.length : 0)} failed, ${lacking ? 0 : skipped.length} skipped`);
  }
}

function noteOf(result: { state: string; note?: string | undefined }): string {
  return result.note === undefined ? "" : ` (${result.note})`;
}
