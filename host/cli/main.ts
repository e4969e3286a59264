import { systemClock } from "../core/clock.ts";
import type { CliIo } from "./io.ts";
import { runCli } from "./program.ts";
import { openTerminal } from "./tui/terminal.ts";

/** npm passes a Ctrl-C on to a child that the terminal has told already: signals this close together are one. */
const SAME_SIGNAL_MILLIS = 500;

let interrupt: AbortController | undefined;
let firstSignal: number | undefined;

/** The first signal asks for an orderly end, the next one means it. */
function onSignal(): void {
  firstSignal ??= performance.now();
  interrupt?.abort();
  if (performance.now() - firstSignal > SAME_SIGNAL_MILLIS) process.exit(130);
}

/** Takes the signals over, once: until then the system's own action ends the process. */
function heedSignals(): AbortSignal {
  if (interrupt === undefined) {
    interrupt = new AbortController();
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  }
  return interrupt.signal;
}

process.stdout.on("error", onPipeError);
process.stderr.on("error", onPipeError);

/** The reader of a pipe (`| head`) has gone: that is no failure. */
function onPipeError(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

const screen = openTerminal(process.stdout, process.env);
const io: CliIo = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  terminal: screen && {
    ...screen,
    draw(lines) {
      heedSignals(); // whoever draws leaves the screen before it ends
      screen.draw(lines);
    },
  },
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  get interrupt() {
    return heedSignals();
  },
};

process.exitCode = await runCli(process.argv.slice(2), io);
