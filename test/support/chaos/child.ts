import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { packageRoot } from "../../../host/core/system/package-root.ts";

/** A program that is started again whenever it was killed, until it ends by itself. */
export interface Child {
  readonly pid: number | undefined;
  readonly kills: number;
  readonly isDone: boolean;
  /** What it said, once it has ended by itself with code 0. */
  readonly said: string;
  /** kill -9, and a new process after `downMillis`. */
  kill(downMillis: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Programs {
  readonly device: string;
  readonly worker: string;
  readonly filler: string;
  remove(): void;
}

/** Bundles the programs of this folder, to where Node finds the packages. */
export async function bundlePrograms(): Promise<Programs> {
  const outdir = join(packageRoot(), "dist", `chaos-${process.pid}`);
  await build({
    entryPoints: ["device", "worker", "filler"].map((name) => join(import.meta.dirname, `${name}.ts`)),
    ...{ bundle: true, platform: "node", format: "esm", packages: "external", outdir, logLevel: "warning" },
  });
  return {
    device: join(outdir, "device.js"),
    worker: join(outdir, "worker.js"),
    filler: join(outdir, "filler.js"),
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}

/** `argsOf` is asked at each start. `prefix`: a command that runs the program, such as one with limits. */
export function keepRunning(program: string, argsOf: () => readonly string[], prefix: readonly string[] = []): Child {
  let child: ChildProcess;
  let isWanted = true;
  let isKilled = false;
  let isDone = false;
  let said = "";
  let kills = 0;
  let timer: NodeJS.Timeout | undefined;

  const start = () => {
    isKilled = false;
    const [command = process.execPath, ...rest] = [...prefix, process.execPath, program, ...argsOf()];
    child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout!.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    child.on("exit", (code) => {
      if (isKilled || !isWanted) return;
      isDone = true;
      if (code !== 0) said += `\nended with code ${code}`;
    });
  };
  const die = (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.kill(signal);
    });
  };
  start();
  return {
    get pid() {
      return child.pid;
    },
    get kills() {
      return kills;
    },
    get isDone() {
      return isDone;
    },
    get said() {
      return said;
    },
    async kill(downMillis) {
      if (isDone || isKilled) return;
      isKilled = true;
      kills++;
      await die("SIGKILL");
      if (!isWanted) return;
      timer = setTimeout(start, downMillis);
      await new Promise((resolve) => setTimeout(resolve, downMillis));
    },
    async stop() {
      isWanted = false;
      clearTimeout(timer);
      await die("SIGKILL");
    },
  };
}
