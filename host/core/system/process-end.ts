import { systemReason } from "./private-file.ts";

/** How long a process that is to end may take for it: whatever is still open then, it is ended. */
const LEAVE_MILLIS = 4000;
/** What a shell gives a program that SIGPIPE ended. */
const READER_GONE = 141;

/** Ends the process with `code` in a few seconds, unless it ends by itself before. A slow reader gets all that was written for it. */
export function endSoon(code: number): void {
  process.exitCode = code;
  const leave = () => {
    if (process.stdout.writableLength > 0 && !process.stdout.errored) endSoon(code);
    else process.exit(code);
  };
  setTimeout(leave, LEAVE_MILLIS).unref(); // what keeps the process alive keeps the timer running, too
}

/**
 * Watches what the process writes to: a reader that has gone, or a full disk, is no reason for a stack, and none to go on without
 * a log. `end` is called once, with the exit code and, where somebody may still read it, the sentence to say.
 */
export function watchOutput(end: (code: number, sentence: string | undefined) => void): void {
  let hasFailed = false;
  for (const [name, stream] of [
    ["output", process.stdout],
    ["errors", process.stderr],
  ] as const) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (hasFailed) return;
      hasFailed = true;
      const isGone = error.code === "EPIPE";
      end(isGone ? READER_GONE : 1, isGone ? undefined : `cannot write the ${name}: ${systemReason(error)}. Make room, or redirect it.`);
    });
  }
}

/** Prints an uncaught error or unhandled rejection and ends the process at once. What must survive is on disk already. */
export function watchUncaught(tell: (error: unknown) => void): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.once(event, (error: unknown) => {
      try {
        tell(error);
      } finally {
        process.exit(1);
      }
    });
  }
}
