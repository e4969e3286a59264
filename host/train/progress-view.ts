import { percentText } from "../core/system/table.ts";
import type { TrainProgress } from "./run-folder.ts";

const BAR_CELLS = 28;

/** Where one seed stands. */
export interface SeedProgress {
  readonly seed: number;
  readonly last: TrainProgress | undefined; // undefined: not begun
  readonly accuracy: number | undefined; // the last that was measured
  readonly isDone: boolean;
}

/** One line a seed: bar, step, loss, accuracy on the held-out wearers, time left. */
export function progressLines(title: string, seeds: readonly SeedProgress[], columns: number): string[] {
  return [`  ${title}`, "", ...seeds.map((seed) => progressLine(seed, columns))].map((line) => [...line].slice(0, columns).join(""));
}

function progressLine({ seed, last, accuracy, isDone }: SeedProgress, columns: number): string {
  const name = `  seed ${String(seed).padEnd(3)}`;
  if (last === undefined) return `${name} ${isDone ? "done" : "waiting"}`;
  const cells = Math.max(8, Math.min(BAR_CELLS, columns - 62));
  const full = Math.round((last.step / last.steps) * cells);
  const bar = "━".repeat(full) + "─".repeat(cells - full);
  return `${name} ${bar} ${isDone ? "done" : progressText(last, accuracy)}`;
}

/** step 800 of 1600, loss 0.512, held out 91.2 %, 3:21 left */
export function progressText(last: TrainProgress, accuracy: number | undefined): string {
  const { step, steps, loss, seconds } = last;
  const parts = [`step ${step} of ${steps}`, `loss ${loss.toFixed(3)}`];
  if (accuracy !== undefined) parts.push(`held out ${percentText(accuracy, 1)}`);
  parts.push(step === steps ? `${timeText(seconds)} in all` : `${timeText((seconds / step) * (steps - step))} left`);
  return parts.join(", ");
}

/** Seconds as 3:21 or 1:02:03. */
function timeText(seconds: number): string {
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}
