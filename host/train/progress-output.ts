import type { Output } from "../core/system/output.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { progressLines, progressText, type SeedProgress } from "./progress-view.ts";
import type { TrainProgress } from "./run-folder.ts";

/** Shows how seeds get on: bars in a terminal, else a line each time. */
export interface ProgressOutput {
  report(seed: number, progress: TrainProgress): void;
  done(seed: number): void;
  /** Leaves the last drawing where it is. */
  close(): void;
}

export function createProgressOutput(io: CliIo, out: Output, title: string, seeds: readonly number[]): ProgressOutput {
  const terminal = out.isJson ? undefined : io.terminal;
  const states = new Map<number, SeedProgress>(seeds.map((seed) => [seed, { seed, last: undefined, accuracy: undefined, isDone: false }]));
  const draw = (): void => terminal?.draw(progressLines(title, [...states.values()], terminal.size().columns));
  draw();
  return {
    report(seed, last) {
      const accuracy = last.accuracy ?? states.get(seed)?.accuracy;
      states.set(seed, { seed, last, accuracy, isDone: false });
      if (terminal) draw();
      else out.note(`  ${seeds.length > 1 ? `seed ${seed}: ` : ""}${progressText(last, accuracy)}`);
    },
    done(seed) {
      states.set(seed, { ...states.get(seed)!, isDone: true });
      draw();
    },
    close: () => terminal?.finish(),
  };
}
