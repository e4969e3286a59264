import type { Clock } from "./clock.ts";
import { elapsedText, numberText } from "./table.ts";

/** Work that is done sooner shows nothing. */
const FIRST_MILLIS = 3000;
const REDRAW_MILLIS = 250;
/** Between two lines where there is no terminal to draw on. */
const LINE_MILLIS = 30_000;
/** Empties the terminal's line. */
export const CLEAR_LINE = "\r\u001b[K";

/** How far one piece of long work is. */
export interface Progress {
  /** `done` units are done, of `total` if that is known. Cheap: call it as often as you like. */
  at(done: number, total?: number): void;
  /** The same in words of its own, which are made only when they are shown. */
  show(text: () => string): void;
  /** Takes the line away. */
  end(): void;
}

/** Where progress is shown. */
export interface ProgressScreen {
  readonly clock: Clock;
  /** Columns of the terminal that stderr is; undefined: it is none. */
  readonly columns: (() => number) | undefined;
  write(text: string): void;
}

/** Shows one piece of work at a time, from its third second on: a line that is redrawn in a terminal, else a line now and then. */
export interface ProgressLine {
  start(title: string): Progress;
  /** Takes the line away until the next redraw: something else is to be printed. */
  clear(): void;
}

export function createProgressLine({ clock, columns, write }: ProgressScreen): ProgressLine {
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) write(CLEAR_LINE);
    isDrawn = false;
  };
  return {
    clear,
    start(title) {
      const startedAt = clock.now();
      let dueAt = startedAt + FIRST_MILLIS;
      const show = (words: () => string): void => {
        const now = clock.now();
        if (now < dueAt) return;
        dueAt = now + (columns === undefined ? LINE_MILLIS : REDRAW_MILLIS);
        const text = `  ${words()}`;
        if (columns === undefined) {
          write(`${text}\n`);
          return;
        }
        write(`${CLEAR_LINE}${[...text].slice(0, Math.max(0, columns() - 1)).join("")}`); // the last column would wrap
        isDrawn = true;
      };
      return {
        at: (done, total) => show(() => countText(title, done, total, (clock.now() - startedAt) / 1000)),
        show,
        end: clear,
      };
    },
  };
}

/** windows: 312 of 1,200, 26 %, 0:45 left */
function countText(title: string, done: number, total: number | undefined, seconds: number): string {
  if (total === undefined || total <= 0) return `${title}: ${numberText(done)}, ${elapsedText(seconds)} so far`;
  const left = done > 0 ? `, ${elapsedText(Math.ceil((seconds / done) * Math.max(0, total - done)))} left` : "";
  return `${title}: ${numberText(done)} of ${numberText(total)}, ${Math.floor((100 * done) / total)} %${left}`;
}

/** Shows the seconds of a wait that ends by itself after `seconds`. The returned function ends it. */
export function showWait(clock: Clock, progress: Progress, seconds: number): () => void {
  let waited = 0;
  let cancel = clock.after(1000, tick);
  function tick(): void {
    progress.at(++waited, seconds);
    cancel = clock.after(1000, tick);
  }
  return () => {
    cancel();
    progress.end();
  };
}
