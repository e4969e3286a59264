import { systemClock } from "../../host/core/system/clock.ts";
import { runBench } from "./program.ts";

// npm run bench [-- fairness|offload|burst|soak|sizing …]. Started by npm, so --help shows every bench.

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort()); // a second one ends the process
process.once("SIGTERM", () => interrupt.abort());

const code = await runBench(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  terminal: undefined,
  stderrColumns: process.stderr.isTTY ? () => process.stderr.columns || 80 : undefined,
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  interrupt: interrupt.signal,
});
process.exit(code);
