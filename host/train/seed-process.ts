import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import type { CliIo } from "../core/system/surroundings.ts";

/**
 * Runs one command line of `dormouse` in a process of its own and waits for its end; `onOutput` is called whenever it prints.
 * Throws TRAIN_PROCESS with the process's output if it fails. An interrupt is passed on.
 */
export function runInProcess(io: CliIo, args: readonly string[], onOutput: () => void): Promise<void> {
  const program = join(packageRoot(), "dist", "dormouse.js");
  if (!existsSync(program)) throw new ConfigError("TRAIN_PROCESS", `${program} is missing: run npm run build, or leave --workers out.`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args, "--json"], { cwd: io.cwd, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    let answer = "";
    const stop = (): void => void child.kill("SIGTERM");
    io.interrupt.addEventListener("abort", stop, { once: true });
    child.stdout?.on("data", (chunk) => {
      answer += chunk;
    });
    child.stderr?.on("data", onOutput);
    child.on("error", ({ message }) => reject(new ConfigError("TRAIN_PROCESS", `${args.join(" ")}: ${message}`)));
    child.on("close", (code) => {
      io.interrupt.removeEventListener("abort", stop);
      if (code === 0) resolve();
      else reject(new ConfigError("TRAIN_PROCESS", `${args.join(" ")}: ${failureIn(answer) ?? `ended with code ${code}`}`));
    });
  });
}

function failureIn(answer: string): string | undefined {
  try {
    return (JSON.parse(answer) as { error?: { message?: string } }).error?.message;
  } catch {
    return undefined;
  }
}
