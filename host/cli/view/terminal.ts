import type { Terminal } from "../../core/system/surroundings.ts";

const ENTER = "\u001b[?1049h\u001b[?25l"; // alternate screen, cursor hidden
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE_END = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** What the screen needs of a terminal's stream. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: "resize", run: () => void): unknown;
  off(event: "resize", run: () => void): unknown;
}

/**
 * A screen on the alternate buffer, so that a resize leaves no debris: each drawing begins at home and clears what is left over.
 * `finish` goes back to the normal buffer and prints the last drawing there. Undefined if the stream is no terminal.
 */
export function openTerminal(stream: TerminalStream, env: Readonly<Record<string, string | undefined>>): Terminal | undefined {
  if (stream.isTTY !== true || env.TERM === "dumb") return undefined;
  let isEntered = false;
  let last: readonly string[] = [];
  const leave = (): void => {
    if (!isEntered) return;
    isEntered = false;
    process.off("exit", leave);
    stream.write(LEAVE);
  };
  return {
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
    draw(lines) {
      last = lines;
      if (!isEntered) {
        isEntered = true;
        process.on("exit", leave); // a crash must not leave the user without a cursor
        stream.write(ENTER);
      }
      stream.write(`${HOME}${lines.map((line) => line + CLEAR_LINE_END).join("\r\n")}${CLEAR_BELOW}`);
    },
    finish() {
      leave();
      stream.write(`${last.join("\n")}\n`);
    },
    onResize(run) {
      stream.on("resize", run);
      return () => stream.off("resize", run);
    },
  };
}
