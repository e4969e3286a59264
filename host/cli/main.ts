import { systemClock } from "../core/clock.ts";
import type { CliIo } from "./io.ts";
import { runCli } from "./program.ts";
import { openTerminal } from "./tui/terminal.ts";

/** npm passes a Ctrl-C on to a child that the terminal has told already: signals this close together are one. */
const SAME_SIGNAL_MILLIS = 500;

const interrupt = new AbortController();
let firstSignal: number | undefined;

/** The first signal asks for an orderly end, the next one means it. */
function onSignal(): void {
  firstSignal ??= performance.now();
  interrupt.abort();
  if (performance.now() - firstSignal > SAME_SIGNAL_MILLIS) process.exit(130);
}

process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);
process.stdout.on("error", onPipeError);
process.stderr.on("error", onPipeError);

/** The reader of a pipe (`| head`) has gone: that is no failure. */
function onPipeError(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

const io: CliIo = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  terminal: openTerminal(process.stdout, process.env),
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  interrupt: interrupt.signal,
};

process.exitCode = await runCli(process.argv.slice(2), io);
