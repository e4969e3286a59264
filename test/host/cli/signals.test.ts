import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { tempFolder } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => {
  child?.kill("SIGKILL");
  folder.remove();
});

/** Starts the command line, sends it a signal once it has said `when`, and returns how it ended. */
async function signalled(signal: NodeJS.Signals, when: string, ...args: string[]) {
  const program = join(packageRoot(), "dist", "dormouse.js");
  const running = spawn(process.execPath, [program, ...args], { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });
  child = running;
  let said = "";
  const hear = (chunk: Buffer) => {
    const hasBeenSaid = said.includes(when);
    said += chunk;
    if (!hasBeenSaid && said.includes(when)) running.kill(signal);
  };
  running.stdout.on("data", hear);
  running.stderr.on("data", hear);
  const [code, by] = await once(running, "close");
  return { code, by, said };
}

describe("a signal", () => {
  it.each([
    ["simulate", ["."]],
    ["eval", [".", "--data", "."]],
    ["emulate", [".", "--board", "pico", "--data", "."]],
  ])("ends %s at once, in a loop that never yields", async (verb, args) => {
    writeFileSync(join(folder.path, "agent.ts"), 'process.stderr.write("looping\\n");\nfor (;;);\n');
    expect(await signalled("SIGINT", "looping", verb, ...args)).toMatchObject({ code: null, by: "SIGINT" });
    expect(await signalled("SIGTERM", "looping", verb, ...args)).toMatchObject({ code: null, by: "SIGTERM" });
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s has a verb that heeds it end in order", async (signal) => {
    const { code, by, said } = await signalled(signal, "Broker at", "broker", "--port", "0");
    expect({ code, by }).toEqual({ code: 0, by: null });
    expect(said).toContain("Broker closed.");
  });
});
