import { spawn } from "node:child_process";
import { join } from "node:path";
import type { WorkerProcess } from "../../cloud/supervisor.ts";
import { packageRoot } from "../../core/system/package-root.ts";

/** Callbacks of a running process. */
export interface ProcessEvents {
  onDocument?(document: unknown): void;
  /** What it reports while it runs. */
  onReport?(message: unknown): void;
  onNote(line: string): void;
  onExit(reason: string, isFailure: boolean): void;
}

/**
 * Starts `dormouse <args>` as a separate process. Its JSON document goes to `onDocument`, other output to `onNote`,
 * line by line, bounded. A channel between the two ends with either: a process whose starter was killed ends itself (main.ts).
 */
export function startDormouse(
  args: readonly string[],
  listen: ProcessEvents,
  environment: Readonly<Record<string, string | undefined>>,
): WorkerProcess {
  const child = spawn(process.execPath, [join(packageRoot(), "dist", "dormouse.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...environment },
  });
  let stdout = "";
  // without a free descriptor there are no streams, and `error` fires
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout = (stdout + text).slice(-MAX_DOCUMENT_CHARS);
  });
  let line = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (line + text).split("\n");
    line = lines.pop()!.slice(-MAX_LINE_CHARS);
    for (const whole of lines) listen.onNote(whole.slice(0, MAX_LINE_CHARS));
  });
  child.on("message", (message) => listen.onReport?.(message));
  let hasEnded = false;
  const end = (reason: string, isFailure: boolean) => {
    if (hasEnded) return;
    hasEnded = true;
    try {
      if (stdout.trim() !== "") listen.onDocument?.(JSON.parse(stdout));
    } catch {
      listen.onNote(`what it printed is no JSON document: ${stdout.slice(0, 200)}`);
    }
    listen.onExit(reason, isFailure);
  };
  child.on("error", (error) => end(error.message, true));
  child.on("close", (code, signal) =>
    signal ? end(`ended by ${signal}`, signal === "SIGKILL") : end(`ended with code ${code}`, code !== 0),
  ); // a process stopped during its start has lost nothing
  return {
    pid: child.pid,
    stop: (isForced) => child.kill(isForced ? "SIGKILL" : "SIGTERM"),
  };
}

const MAX_DOCUMENT_CHARS = 65_536;
const MAX_LINE_CHARS = 500;
