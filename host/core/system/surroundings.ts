import type { Clock } from "./clock.ts";

/** What the command line touches of the outside: injected, so that a test can run any verb in process. */
export interface CliIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** The terminal to draw on, where stdout is one. */
  readonly terminal: Terminal | undefined;
  /** Columns of the terminal that stderr is; left out: it is none. */
  readonly stderrColumns?: (() => number) | undefined;
  /** Lines of the input, until it ends or the signal aborts; left out if there is none. */
  lines?(signal: AbortSignal): AsyncIterable<string>;
  /** Keys as they are pressed, without Enter in a terminal, until the input ends or the signal aborts; left out if there is no input. */
  keys?(signal: AbortSignal): AsyncIterable<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  /**
   * Aborts on the first SIGINT or SIGTERM after it was first read: whoever reads it will end in order. A verb that never does is ended by
   * the signal itself, a synchronous loop too.
   */
  readonly interrupt: AbortSignal;
  /** Sends a message to the parent process; left out if there is none. */
  report?(message: object): void;
}

/** A live screen. */
export interface Terminal {
  size(): { columns: number; rows: number };
  /** Replaces what was drawn before. */
  draw(lines: readonly string[]): void;
  /** Leaves the last drawing where it is and goes on below it. */
  finish(): void;
  /** Calls back when the size changes; the returned function stops that. */
  onResize(run: () => void): () => void;
}
