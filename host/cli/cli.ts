import { createInterface } from "node:readline";
import { systemClock } from "../core/system/clock.ts";
import { reportFailure } from "../core/system/output.ts";
import { endSoon, watchOutput, watchUncaught } from "../core/system/process-end.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { runCli } from "./program.ts";
import { readKeys } from "./view/keys.ts";
import { openTerminal } from "./view/terminal.ts";

/** npm forwards a Ctrl-C to a child that has already received it: signals this close together count as one. */
const SAME_SIGNAL_MILLIS = 500;

const args = process.argv.slice(2);
let interrupt: AbortController | undefined;
let firstSignal: number | undefined;
let outputCode: number | undefined; // exit code after a failed output
let hasDrawn = false;

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

watchOutput((code, sentence) => {
  outputCode = code;
  if (sentence !== undefined) process.stderr.write(`dormouse: ${sentence}\n`);
  if (interrupt === undefined) process.exit(code); // no verb that would end in order
  interrupt.abort();
  endSoon(code);
});

/** The supervisor that started this process over a channel was killed. Answers pending asks within seconds, then ends. */
function onStarterGone(): void {
  if (interrupt === undefined) process.exit(1);
  interrupt.abort();
  endSoon(1);
}

/** Ends with the process that started this one, if it did so over a channel; the channel alone keeps nothing running. */
function endWithStarter(): void {
  if (process.send === undefined) return;
  if (!process.connected) process.exit(1); // it went while this program was loaded
  process.on("disconnect", onStarterGone);
  process.channel?.unref();
}

const screen = openTerminal(process.stdout, process.env);
const io: CliIo = {
  stdout: (text) => outputCode === undefined && process.stdout.write(text),
  stderr: (text) => outputCode === undefined && process.stderr.write(text),
  terminal: screen && {
    ...screen,
    draw(lines) {
      heedSignals(); // views restore the screen before exit
      hasDrawn = true;
      screen.draw(lines);
    },
  },
  stderrColumns: process.stderr.isTTY && process.env.TERM !== "dumb" ? () => process.stderr.columns || 80 : undefined,
  async *lines(signal) {
    const reader = createInterface({ input: process.stdin, signal });
    try {
      yield* reader;
    } finally {
      reader.close();
    }
  },
  keys: (signal) => readKeys(process.stdin, signal),
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  get interrupt() {
    return heedSignals();
  },
  report(message) {
    if (process.connected) process.send?.(message, () => {}); // who is gone needs no report
  },
};

watchUncaught((error) => {
  if (hasDrawn) screen?.finish(); // the sentence goes below the last drawing
  reportFailure(io, error, args.includes("--json"));
});

endWithStarter();
const code = await runCli(args, io);
endSoon(outputCode ?? code);
