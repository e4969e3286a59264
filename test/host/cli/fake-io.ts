import { runCli } from "../../../host/cli/program.ts";
import { systemClock } from "../../../host/core/system/clock.ts";
import type { CliIo } from "../../../host/core/system/surroundings.ts";

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FakeIo {
  readonly io: CliIo;
  /** Presses Ctrl-C. */
  interrupt(): void;
  output(): { stdout: string; stderr: string };
}

export function fakeIo(over: Partial<CliIo> = {}): FakeIo {
  const stop = new AbortController();
  const written = { stdout: "", stderr: "" };
  const io: CliIo = {
    stdout: (text) => {
      written.stdout += text;
    },
    stderr: (text) => {
      written.stderr += text;
    },
    terminal: undefined,
    env: { PATH: "/usr/bin" },
    cwd: process.cwd(),
    clock: systemClock,
    interrupt: stop.signal,
    ...over,
  };
  return { io, interrupt: () => stop.abort(), output: () => written };
}

/** Runs one command line in process. */
export async function cli(args: readonly string[], over: Partial<CliIo> = {}): Promise<CliRun> {
  const { io, output } = fakeIo(over);
  const code = await runCli(args, io);
  return { code, ...output() };
}
