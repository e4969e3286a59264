import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runTool } from "../../../../host/firmware/c/tools.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-tools-"));
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts a script in the compiler's place, and runs it. */
function compiler(script: string): () => string {
  writeFileSync(join(folder, "arm-none-eabi-gcc"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "arm-none-eabi-gcc"), 0o755);
  return () => runTool("arm-none-eabi-gcc", [], "it compiles firmware");
}

describe("a program that a build calls", () => {
  it("is no failed one when a signal has ended it", () => {
    expect(compiler("kill -INT $$")).toThrow(/^arm-none-eabi-gcc was stopped by SIGINT: run the command again\.$/);
  });

  it("is named with its code, what it is for and what it said", () => {
    expect(compiler("echo no space >&2; exit 3")).toThrow("arm-none-eabi-gcc failed with code 3 (it compiles firmware): no space");
  });
});
