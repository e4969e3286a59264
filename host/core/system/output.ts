import { DormouseError, FirmwareError } from "./errors.ts";
import { plainJson, plainLines, plainText } from "./plain-text.ts";
import { CLEAR_LINE, createProgressLine, type Progress } from "./progress.ts";
import { textWithoutSecrets } from "./secrets.ts";
import type { CliIo } from "./surroundings.ts";

/**
 * Where a verb writes. With --json there is exactly one document on stdout and everything else goes to stderr. A line stays one line,
 * and nothing in it steers a terminal, whoever wrote its parts.
 */
export interface Output {
  readonly isJson: boolean;
  /** A line of the answer for people: stdout, or stderr with --json. */
  say(line?: string): void;
  /** Remarks: always stderr. */
  note(line: string): void;
  /** Shows how far long work is, from its third second on: always stderr. `title` is what is counted, as in "windows". */
  progress(title: string): Progress;
  /** The answer: printed with --json alone. */
  document(value: unknown): void;
}

export function createOutput(io: CliIo, isJson: boolean): Output {
  const line = createProgressLine({ clock: io.clock, columns: io.stderrColumns, write: (text) => io.stderr(text) });
  return {
    isJson,
    say(text = "") {
      line.clear();
      (isJson ? io.stderr : io.stdout)(`${plainText(text)}\n`);
    },
    note(text) {
      line.clear();
      io.stderr(`${plainText(text)}\n`);
    },
    progress: (title) => line.start(plainText(title)),
    document(value) {
      line.clear();
      if (isJson) io.stdout(`${plainJson(value)}\n`);
    },
  };
}

/** Prints what went wrong and how to mend it: one sentence on stderr, and with --json a document on stdout. Returns the exit code. */
export function reportFailure(io: CliIo, error: unknown, isJson: boolean): number {
  const isOurs = error instanceof DormouseError;
  const code = isOurs ? error.code : "UNEXPECTED";
  const message = textWithoutSecrets(error instanceof Error ? error.message : String(error));
  const plain = error instanceof FirmwareError ? plainLines : plainText; // a compiler's words have many lines
  const sentence = isOurs ? message : `unexpected: ${message}. Run again with DORMOUSE_DEBUG=1 and report what it prints.`;
  const clear = io.stderrColumns === undefined ? "" : CLEAR_LINE; // of a progress line
  io.stderr(`${clear}dormouse: ${plain(sentence)}\n`);
  if (io.env.DORMOUSE_DEBUG && error instanceof Error) io.stderr(`${plainLines(textWithoutSecrets(error.stack ?? ""))}\n`);
  if (isJson) failureDocument(io, code, message);
  return isOurs ? error.exitCode : 1;
}

/** What --json prints instead of an answer. */
export function failureDocument(io: CliIo, code: string, message: string): void {
  io.stdout(`${plainJson({ error: { code, message: textWithoutSecrets(message) } })}\n`);
}
