import type { Output } from "../core/system/output.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { progressLines, progressText, type SeedProgress } from "./progress-view.ts";
import type { TrainProgress } from "./run-folder.ts";

const FIRST_STEP_MILLIS = 3000;
const REDRAW_STEP_MILLIS = 1000;

/** Shows how seeds get on: bars in a terminal, else a line each time. */
export interface ProgressOutput {
  report(seed: number, progress: TrainProgress): void;
  /** A step between two reports: shown from second 3 on, now and then. */
  step(seed: number, progress: TrainProgress): void;
  done(seed: number): void;
  /** Leaves the last drawing where it is. */
  close(): void;
}

export function createProgressOutput(io: CliIo, out: Output, title: string, seeds: readonly number[]): ProgressOutput {
  const terminal = out.isJson ? undefined : io.terminal;
  const states = new Map<number, SeedProgress>(seeds.map((seed) => [seed, { seed, last: undefined, accuracy: undefined, isDone: false }]));
  const seedText = (seed: number, text: string): string => (seeds.length > 1 ? `seed ${seed}: ${text}` : text);
  const draw = (): void => terminal?.draw(progressLines(title, [...states.values()], terminal.size().columns));
  draw();
  const line = out.progress(title);
  let dueAt = io.clock.now() + FIRST_STEP_MILLIS; // of a drawing between two reports
  return {
    report(seed, last) {
      const accuracy = last.accuracy ?? states.get(seed)?.accuracy;
      states.set(seed, { seed, last, accuracy, isDone: false });
      if (terminal) draw();
      else out.note(`  ${seedText(seed, progressText(last, accuracy))}`);
    },
    step(seed, last) {
      const { accuracy } = states.get(seed)!;
      if (terminal === undefined) return line.show(() => seedText(seed, progressText(last, accuracy)));
      if (io.clock.now() < dueAt) return;
      dueAt = io.clock.now() + REDRAW_STEP_MILLIS;
      states.set(seed, { seed, last, accuracy, isDone: false });
      draw();
    },
    done(seed) {
      states.set(seed, { ...states.get(seed)!, isDone: true });
      draw();
    },
    close() {
      line.end();
      terminal?.finish();
    },
  };
}
